import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// Text-only questions beside others: ScienceQA from its published form to both of its scores, and what a user does
    /// with the results.
    @Suite struct TextAloneTests {
        private let folder: TemporaryDirectory
        private var data: String { folder.file("data").path }
        private var batch: String { folder.file("scienceqa.yaml").path }
        private var results: String { folder.file("results").path }
        private static let pictured = "scienceqa/000000", textAlone = "scienceqa/000001"

        init() throws {
            folder = try TemporaryDirectory()
            let files = FileManager.default
            for id in ["4", "11"] {
                try files.createDirectory(atPath: "\(data)/images/test/\(id)", withIntermediateDirectories: true)
                try files.copyItem(
                    atPath: Demo.folder + "/images/scene-000.jpg", toPath: "\(data)/images/test/\(id)/image.png")
            }
            let questions = [("4", true), ("5", false), ("11", true), ("12", false)].map { id, isPictured in
                let image = isPictured ? #""image": "\#(id)/image.png", "# : ""
                return
                    #"{"id": "\#(id)", \#(image)"conversations": [{"from": "human", "value": "Which is red?\nA. ring\nB. bar"}]}"#
            }
            try write("llava_test_CQM-A.json", "[" + questions.joined(separator: ", ") + "]")
            try write("pid_splits.json", #"{"test": ["4", "5", "11", "12"]}"#)
            let problems = ["4", "5", "11", "12"].map { #""\#($0)": {"choices": ["ring", "bar"], "answer": 0}"# }
            try write("problems.json", "{" + problems.joined(separator: ", ") + "}")
            let yaml = """
                name: scienceqa
                model: \(Demo.model)
                items: data/scienceqa.jsonl
                images: data
                results: results
                template: vicuna_v1
                precision: f32
                method: {name: ficoco-v, keep: 64}
                generation: {max_tokens: 8}
                """
            try Data(yaml.utf8).write(to: folder.file("scienceqa.yaml"))
        }

        private func write(_ path: String, _ text: String) throws {
            try Data(text.utf8).write(to: URL(fileURLWithPath: "\(data)/\(path)"))
        }

        /// Runs the imported questions on two workers.
        private func run() async throws {
            let imported = try await winnow("eval", "import", "scienceqa", "--data", data)
            #expect(imported.code == 0, "\(imported)")
            #expect(imported.output.contains("4 questions, 2 of them without a picture"), "\(imported)")
            let end = try await winnow("run", batch, "--workers", "2", "--threads", "1")
            try #require(end.code == 0 && end.output.contains("4 of 4 jobs succeeded"), "\(end)")
            // 1.2 kB a job, and for each of two pictures 20.5 kB of features and 7.9 kB of trace.
            #expect(end.errors.contains("62 kB for 4 jobs, 2 of them without a picture"), "\(end)")
        }

        @Test func bothScoresComeFromOneRun() async throws {
            try await run()
            let official = folder.file("official").path
            let score = try await winnow(
                "eval", "score", "scienceqa", "--data", data, "--results", results, "--out", official)
            #expect(score.code == 0, "\(score)")
            #expect(score.output.contains("IMG accuracy") && score.output.contains("total accuracy"), "\(score)")
            struct Line: Decodable {
                let question_id, prompt: String
            }
            let text = try String(contentsOfFile: official + "/answers/model_ficoco-v@64.jsonl", encoding: .utf8)
            let lines = try text.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
            #expect(lines.map(\.question_id) == ["4", "5", "11", "12"])
            #expect(lines.map { $0.prompt.hasPrefix("<image>\n") } == [true, false, true, false])

            let grid = folder.file("grid").path
            let evaluation = try await winnow(
                "eval", "run", batch, "--method", "ficoco-v", "--keep", "64", "--threads", "1", "--out", grid,
                "--output", "json")
            struct Summary: Decodable {
                struct Cell: Decodable {
                    let questions, failed: Int
                    let delivered, left, flopsShare: Double
                }
                let measure: String
                let cells: [Cell]
            }
            let summary = try Summary(printed: evaluation.output)
            #expect(summary.measure == "scienceqa, IMG accuracy")
            #expect(summary.cells.map(\.questions) == [4, 4] && summary.cells.allSatisfy { $0.failed == 0 })
            #expect(summary.cells.map(\.delivered) == [576, 64] && summary.cells.map(\.left) == [576, 64])
            #expect(summary.cells.allSatisfy { 0 < $0.flopsShare && $0.flopsShare <= 1 })
            let scores = try String(contentsOfFile: grid + "/scores.json", encoding: .utf8)
            #expect(scores.components(separatedBy: "total accuracy").count == 3, "\(scores)")
        }

        @Test func resultsAreThoseOfAPromptAlone() async throws {
            try await run()
            let verified = try await winnow("results", "verify", results)
            #expect(verified.code == 0, "\(verified)")
            let rows = try Shard.all(in: results).flatMap(\.rows)
            let (row, other) = (
                try #require(rows.first { $0.id == Self.textAlone }),
                try #require(rows.first { $0.id == Self.pictured })
            )
            #expect(row.leftAt.isEmpty && row.kept.isEmpty && row.features == 0 && row.mergeSources.isEmpty)
            #expect(other.leftAt.count == 576 && other.kept.count == 64 && other.features == 64)
            #expect(!row.failed && !row.tokenIDs.isEmpty)
            let answer = try await winnow(
                "answer", "--model", Demo.model, "--prompt", row.prompt, "--precision", "f32", "--max-tokens", "8",
                "--threads", "1", "--output", "json")
            let single = try AnswerTests.Answer(printed: answer.output)
            #expect(single.tokenIds == row.tokenIDs.map { Int($0) } && single.text == row.answer)
            #expect(single.visualTokens == 0 && single.visualTokensDelivered == 0 && single.flops.vision == 0)
            #expect(!single.promptTokenIds.contains(640))

            let query = try await winnow(
                "results", "query",
                "SELECT id, image, visual_tokens_in AS seen, visual_tokens_out AS kept FROM jobs WHERE image = ''",
                results,
                "--output", "csv")
            #expect(
                query.output == "id,image,seen,kept\r\n\(Self.textAlone),,0,0\r\nscienceqa/000003,,0,0\r\n", "\(query)")

            let show = try await winnow("results", "show", Self.textAlone, results)
            #expect(show.code == 0 && show.output.contains("picture   none"), "\(show)")
            let png = try await winnow("results", "show", Self.textAlone, results, "--png", folder.file("a.png").path)
            #expect(png.code == 2 && png.errors.contains("is text-only"), "\(png)")
            let report = try await winnow("report", results)
            #expect(report.code == 0 && report.errors.isEmpty, "\(report)")
            let html = try String(contentsOfFile: results + "/report.html", encoding: .utf8)
            #expect(
                html.contains(#""tokensIn":576,"#) && html.contains(#""image":-2"#),
                "means are over those with a picture")

            let sql = "SELECT id, image, answer, visual_tokens_in, visual_tokens_out FROM jobs ORDER BY id"
            let before = try await winnow("results", "query", sql, results, "--output", "csv")
            let merge = try await winnow("results", "merge", results)
            #expect(merge.code == 0 && merge.output.contains("with the same 4 rows"), "\(merge)")
            let merged = try Shard.all(in: results)
            #expect(merged.count == 1 && merged[0].rows.map(\.features).sorted() == [0, 0, 64, 64])
            let after = try await winnow("results", "query", sql, results, "--output", "csv")
            #expect(after.code == 0 && after.output == before.output, "\(after)")
            let again = try await winnow("results", "verify", results)
            #expect(again.code == 0, "\(again)")
        }

        @Test(.enabled(if: SystemPython.hasH5py, "needs Debian's python3-h5py"))
        func thePythonReaderKnowsThem() async throws {
            try await run()
            try await writeReader(to: folder)
            let script = """
                import sys
                sys.path.insert(0, sys.argv[1])
                from winnow_results import open_results
                results = open_results(sys.argv[2])
                job, other = results["\(Self.textAlone)"], results["\(Self.pictured)"]
                assert job.image == "" and job.kept.size == 0 and job.left_at.size == 0 and len(job.features) == 0, job.kept
                assert job.mask().shape == (0, 0) and job.masks() == [] and other.mask().sum() == 64
                assert [len(rows) for rows in results.features([other.id, job.id])] == [64, 0]
                print("well")
                """
            #expect(try SystemPython.run(script, folder.url.path, results) == "well\n")

            let archive = folder.file("all.npz").path
            let export = try await winnow(
                "results", "export", results, "--format", "npz", "--out", archive, "--python", "/usr/bin/python3")
            #expect(export.code == 0, "\(export)")
            let lengths = try SystemPython.run(
                """
                import numpy as np, sys
                f = np.load(sys.argv[1], allow_pickle=False)
                for name in ["kept", "left_at", "features"]:
                    print(*np.diff(f[name + "_indptr"])[np.argsort(f["id"])])
                """, archive)
            #expect(lengths == "64 0 64 0\n576 0 576 0\n64 0 64 0\n")
        }
    }
}
