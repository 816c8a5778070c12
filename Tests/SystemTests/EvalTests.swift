import Foundation
import Glibc
import TestSupport
import Testing

extension BlackBox {
    /// Evaluations as a user starts them.
    @Suite struct EvalTests {
        private struct Summary: Decodable {
            struct Interval: Decodable { let value, low, high: Double }
            struct Cell: Decodable {
                let method: String
                let keep: Int?
                let questions: Int
                let score: Double?
                let difference: Interval?
                let flopsShare: Double
            }
            let measure: String
            let cells: [Cell]
        }

        /// A grid, stopped by a signal and started again, beside the same one in peace.
        @Test func aGridGoesOnAfterAKill() async throws {
            let folder = try TemporaryDirectory()
            let batch = Repository.root.appendingPathComponent("Jobs/demo.yaml").path
            func arguments(_ out: String) -> [String] {
                [
                    "eval", "run", batch, "--method", "ficoco-v", "--method", "random:seed=3", "--keep", "64",
                    "--limit", "60",
                    "--threads", "1", "--out", folder.file(out).path, "--output", "json",
                ]
            }
            let first = try RunningWinnow(arguments("killed"))
            let journal = folder.file("killed/answers/none.jsonl")
            for _ in 0..<600 where ((try? Data(contentsOf: journal))?.count ?? 0) == 0 {
                try await Task.sleep(for: .milliseconds(50))
            }
            kill(first.process, SIGKILL)
            let glance = try await winnow(arguments("killed") + ["--report-only"])
            #expect(glance.code == 0 && glance.errors.contains("of 60 questions"), "\(glance)")
            let seen = try Summary(printed: glance.output)
            #expect(seen.cells.first?.method == "none" && (1...60).contains(seen.cells.first?.questions ?? 0))
            #expect(!FileManager.default.fileExists(atPath: folder.file("killed/summary.json").path))
            let again = try await winnow(arguments("killed"))
            #expect(again.code == 0, "\(again)")
            let peace = try await winnow(arguments("peace"))
            let (left, right) = (try Summary(printed: again.output), try Summary(printed: peace.output))
            #expect(left.cells.map(\.method) == ["none", "ficoco-v", "random:seed=3"])
            #expect(left.cells.map(\.score) == right.cells.map(\.score))
            #expect(left.cells.allSatisfy { $0.questions == 60 && $0.score != nil })
            #expect(left.cells.dropFirst().allSatisfy { $0.difference != nil && $0.keep == 64 && $0.flopsShare < 0.9 })
            for name in ["summary.json", "accuracy.svg", "settings.json", "answers/ficoco-v@64.jsonl"] {
                #expect(FileManager.default.fileExists(atPath: folder.file("killed/\(name)").path), "\(name)")
            }
            let table = try await winnow(Array(arguments("killed").dropLast(2)))
            #expect(table.output.contains("95 % interval") && table.output.contains("ficoco-v"))
            #expect(table.output.contains("\ndelivered: visual tokens of a question that enter the language model"))
            // A picture alone says nothing about others.
            let one = try await winnow(
                "eval", "run", batch, "--method", "ficoco-v", "--keep", "32", "--limit", "1", "--threads", "1", "--out",
                folder.file("one").path)
            #expect(one.code == 0 && one.output.contains("-100.0  ") && !one.output.contains("-100.0 …"), "\(one)")
            let other = try await winnow(arguments("killed") + ["--method", "tome:attention=both"])
            #expect(other.code == 2 && other.errors.contains("proportional|plain"))
        }

        /// Whether a model's weights suit a machine is for the machines to say that answer.
        @Test func withAClusterTheModelIsNotLookedAtHere() async throws {
            let folder = try TemporaryDirectory()
            let packed = folder.file("packed").path
            let pack = try await winnow("model", "pack", Demo.model, "--weights", "int8", "--out", packed)
            try #require(pack.code == 0, "\(pack)")
            let arguments = [
                "eval", "run", Repository.root.appendingPathComponent("Jobs/demo.yaml").path, "--model", packed,
                "--weights", "int4", "--method", "fastv", "--keep", "64", "--out", folder.file("out").path,
            ]
            let here = try await winnow(arguments)
            #expect(here.code == 2 && here.errors.contains("the model is packed as int8"), "\(here)")
            let cluster = try await winnow(arguments + ["--connect", "tcp://127.0.0.1:1"])
            #expect(cluster.code != 0 && !cluster.errors.contains("packed"), "\(cluster)")
        }

        private struct Answered: Decodable, Equatable {
            let id, answer: String
            let delivered, left, flops, flops_to_first_token: Int
        }

        private func rows(of file: URL) throws -> [Answered] {
            try String(contentsOf: file, encoding: .utf8).split(separator: "\n")
                .map { try JSONDecoder().decode(Answered.self, from: Data($0.utf8)) }.sorted { $0.id < $1.id }
        }

        /// On the workers of a coordinator the answers are those of one process; the same command finds its batches again.
        @Test func aGridRunsOnACluster() async throws {
            let services = try await Services()
            let workers = try ["one", "two"].map { try services.startWorker($0) }
            let folder = try TemporaryDirectory()
            let batch = Repository.root.appendingPathComponent("Jobs/demo.yaml").path
            func arguments(_ out: String) -> [String] {
                [
                    "eval", "run", batch, "--method", "ficoco-vl", "--method", "fastv", "--keep", "64", "--limit", "24",
                    "--out", folder.file(out).path, "--output", "json",
                ]
            }
            let cluster = arguments("cluster") + ["--connect", services.endpoints.clients]
            let first = try await winnow(cluster)
            try #require(first.code == 0, "\(first)")
            let here = try await winnow(arguments("here") + ["--threads", "1"])
            let (left, right) = (try Summary(printed: first.output), try Summary(printed: here.output))
            #expect(left.cells.map(\.score) == right.cells.map(\.score) && left.cells.count == 3)
            #expect(left.cells.map(\.flopsShare) == right.cells.map(\.flopsShare))
            for name in ["none", "ficoco-vl@64", "fastv@64"] {
                let answers = try ["cluster", "here"].map { try rows(of: folder.file("\($0)/answers/\(name).jsonl")) }
                #expect(answers[0].count == 24 && answers[0] == answers[1], "\(name)")
            }
            let again = try await winnow(cluster)
            #expect(again.code == 0 && again.output == first.output, "\(again)")
            let batches = try await services.status("").batches
            #expect(batches.count == 3)
            for name in ["-fastv-64", "-ficoco-vl-64", "-none"] {
                #expect(batches.contains { $0.batch.hasPrefix("cluster-") && $0.batch.hasSuffix(name) }, "\(batches)")
            }
            // A folder of the same name elsewhere is another evaluation.
            let other = try await winnow(
                arguments("elsewhere/cluster") + ["--limit", "2", "--connect", services.endpoints.clients])
            #expect(other.code == 0, "\(other)")
            #expect(try await services.status("").batches.count == 6)
            let report = try await winnow(arguments("cluster") + ["--report-only"])
            #expect(report.code == 0 && report.output == first.output, "\(report)")
            // Answers of this process do not mix with those of others.
            let mixed = try await winnow(arguments("cluster"))
            #expect(mixed.code != 0 && mixed.errors.contains("other settings"), "\(mixed)")
            #expect(workers.allSatisfy { $0.isRunning })
        }

        /// A page of an evaluation: all methods side by side, or those that are named, with the patches that each kept.
        @Test func reportsShowTheMethodsOfAnEvaluation() async throws {
            let folder = try TemporaryDirectory()
            let batch = Repository.root.appendingPathComponent("Jobs/demo.yaml").path
            let out = folder.file("grid").path
            let run = try await winnow([
                "eval", "run", batch, "--method", "ficoco-v", "--method", "random", "--keep", "192", "64", "--limit",
                "20",
                "--threads", "1", "--out", out,
            ])
            #expect(run.code == 0, "\(run)")
            struct Report: Decodable {
                let out: String
                let batches: Int
                let sharedQuestions: Int?
            }
            let page = try await winnow(["report", out, "--output", "json"])
            #expect(page.code == 0 && page.errors.isEmpty, "\(page)")
            let report = try Report(printed: page.output)
            #expect(report.batches == 5 && report.sharedQuestions == 20)
            let html = try String(contentsOfFile: report.out, encoding: .utf8)
            #expect(html.contains(#""name":"random@64""#) && html.contains(#""label":"kind""#))
            // A method has one colour, in the plot and in the page: the order of names makes it.
            let plot = try String(contentsOfFile: out + "/accuracy.svg", encoding: .utf8)
            for (number, method) in ["ficoco-v", "random"].enumerated() {
                let title = try #require(plot.split(separator: "\n").first { $0.hasSuffix(">\(method)</text>") })
                let colour = try #require(title.firstMatch(of: #/fill="(#[0-9a-f]{6})"/#)).1
                #expect(html.contains("--b\(number): \(colour);"), "\(title)")
            }
            struct Payload: Decodable {
                struct Job: Decodable {
                    let batch, image, tokensIn, tokensOut, correct: Int
                    let left: Data
                }
                let gallery: [Job]
            }
            let start = try #require(html.range(of: #"id="data">"#)), rest = html[start.upperBound...]
            let data = try #require(rest.range(of: "</script>")).lowerBound
            let jobs = try JSONDecoder().decode(Payload.self, from: Data(rest[..<data].utf8)).gallery
            #expect(jobs.count == 100 && jobs.allSatisfy { $0.image >= 0 && $0.tokensIn == 576 && $0.correct >= 0 })
            for (number, kept) in [576, 192, 64, 192, 64].enumerated() {
                let own = jobs.filter { $0.batch == number }
                #expect(own.allSatisfy { $0.tokensOut == kept && $0.left.count { $0 == 255 } == kept }, "\(number)")
            }

            let some = try await winnow([
                "report", out, "--method", "none", "--method", "random@64", "--out", folder.file("some.html").path,
            ])
            #expect(
                some.code == 0 && some.output.contains("2 sets of answers, 20 questions side by side"), "\(some)")
            let unknown = try await winnow(["report", out, "--method", "random@46"])
            #expect(
                unknown.code == 2 && unknown.errors.contains("no answers of 'random@46' (did you mean random@64?)"),
                "\(unknown)")
            let twice = try await winnow(["report", out, out + "/"])
            #expect(twice.code == 2 && twice.errors.contains("named twice"), "\(twice)")
        }

        /// From a folder in the published form to scores, by the distributed way: import, run, score, table.
        @Test func aBenchmarkFromImportToTable() async throws {
            let folder = try TemporaryDirectory()
            let data = folder.file("data").path
            try FileManager.default.createDirectory(atPath: data + "/val2014", withIntermediateDirectories: true)
            try FileManager.default.createDirectory(atPath: data + "/coco", withIntermediateDirectories: true)
            let empty = try await winnow(["eval", "import", "pope", "--data", data])
            #expect(empty.code == 2 && empty.output.contains("e3e39262") && empty.output.contains("MISSING"))

            let suffix = #"\nAnswer the question using a single word or phrase."#
            var lines = ""
            for (number, sampling) in ["adversarial", "popular", "random"].enumerated() {
                for (offset, shape) in ["ring", "bar"].enumerated() {
                    lines +=
                        #"{"question_id": \#(number * 10 + offset), "image": "a.jpg", "text": "Is there a \#(shape) in the image?\#(suffix)", "category": "\#(sampling)"}"#
                        + "\n"
                }
                try Data("{\"label\": \"yes\"}\n{\"label\": \"no\"}\n".utf8).write(
                    to: URL(fileURLWithPath: "\(data)/coco/coco_pope_\(sampling).json"))
            }
            try Data(lines.utf8).write(to: URL(fileURLWithPath: data + "/llava_pope_test.jsonl"))
            try FileManager.default.copyItem(
                atPath: Repository.root.appendingPathComponent("Jobs/demo/images/scene-000.jpg").path,
                toPath: data + "/val2014/a.jpg")
            let imported = try await winnow(["eval", "import", "pope", "--data", data])
            #expect(imported.code == 0 && imported.output.contains("6 questions"), "\(imported)")

            let model = Repository.root.appendingPathComponent("Jobs/demo/model").path
            let yaml = """
                name: pope
                model: \(model)
                items: data/pope.jsonl
                images: data
                results: results
                template: vicuna_v1
                image_mode: pad
                generation: {max_tokens: 16}
                features: none
                """
            try Data(yaml.utf8).write(to: folder.file("pope.yaml"))
            let run = try await winnow(["run", folder.file("pope.yaml").path, "--workers", "1", "--threads", "1"])
            #expect(run.code == 0, "\(run)")
            let score = try await winnow([
                "eval", "score", "pope", "--data", data, "--results", folder.file("results").path, "--out",
                folder.file("official").path,
            ])
            #expect(score.code == 0 && score.output.contains("F1 adversarial"), "\(score)")
            let official = try String(contentsOf: folder.file("official/answers/model_none.jsonl"), encoding: .utf8)
            #expect(official.split(separator: "\n").count == 6)

            // Another reading has another name than the default, in files and in scores.
            let reading =
                yaml.replacingOccurrences(of: "results: results", with: "results: reading")
                + "\nmethod: {name: ficoco-v, keep: 64, from_layer: 2, axis: column}\n"
            try Data(reading.utf8).write(to: folder.file("reading.yaml"))
            let second = try await winnow([
                "run", folder.file("reading.yaml").path, "--workers", "1", "--threads", "1",
            ])
            #expect(second.code == 0, "\(second)")
            let scored = try await winnow([
                "eval", "score", "pope", "--data", data, "--results", folder.file("reading").path, "--out",
                folder.file("official").path,
            ])
            #expect(scored.output.contains("model_ficoco-v:axis=column,from-layer=2@64.jsonl"), "\(scored)")
            let scores = try String(contentsOf: folder.file("official/scores.json"), encoding: .utf8)
            #expect(scores.contains("\"none\"") && scores.contains("ficoco-v:axis=column,from-layer=2"))

            // The same answers from a file in LLaVA's form, and by the grid, score the same.
            let byFile = try await winnow([
                "eval", "score", "pope", "--data", data, "--answers",
                folder.file("official/answers/model_none.jsonl").path,
                "--out", folder.file("again").path,
            ])
            let grid = try await winnow([
                "eval", "run", folder.file("pope.yaml").path, "--method", "none", "--threads", "1", "--out",
                folder.file("grid").path,
            ])
            func f1(_ text: String) -> Substring? { text.split(separator: "\n").first { $0.hasPrefix("F1 ") } }
            #expect(f1(byFile.output) == f1(score.output) && f1(score.output) != nil)
            #expect(grid.output.contains("pope, F1"), "\(grid)")
            // A page calls each answer right or wrong by the benchmark's truth.
            let page = try await winnow(["report", folder.file("grid").path])
            let html = try String(contentsOf: folder.file("grid/report.html"), encoding: .utf8)
            #expect(page.code == 0 && html.contains(#""scored":6"#), "\(page)")

            // A truth file of another version costs the score, not the report.
            let truth = URL(fileURLWithPath: data + "/coco/coco_pope_random.json")
            try Data(String(repeating: "{\"label\": \"no\"}\n", count: 3).utf8).write(to: truth)
            let unscored = try await winnow([
                "eval", "run", folder.file("pope.yaml").path, "--method", "none", "--threads", "1", "--out",
                folder.file("grid").path,
            ])
            #expect(unscored.code == 0 && unscored.output.contains("not scored"), "\(unscored)")
            #expect(unscored.errors.contains("3 labels for 2 questions") && unscored.output.contains("times as fast"))

            // The demo model's scores stand in no row of LLaVA's; one with its sizes does, and in one table only.
            let bare = try await winnow(["eval", "table", "--scores", folder.file("official").path])
            #expect(bare.code == 0 && bare.output.contains("llava-1.5-7b") && bare.output.contains("llava-1.5-13b"))
            #expect(!bare.output.contains("777.7"))
            try Data(
                """
                [{"benchmark": "pope", "model": "m", "size": "13b", "method": "fastv", "keep": 84, "scores": {"F1": 777.7}}]
                """.utf8
            ).write(to: folder.file("official/scores.json"))
            let table = try await winnow(["eval", "table", "--scores", folder.file("official").path])
            let rows = table.output.split(separator: "\n").filter { $0.contains("777.7") }
            #expect(rows.count == 1 && rows[0].hasPrefix("fastv ") && rows[0].contains("measured here"), "\(table)")
            let seven = try await winnow([
                "eval", "table", "--model", "7b", "--scores", folder.file("official").path, "--output", "json",
            ])
            #expect(seven.output.hasPrefix("[{") && !seven.output.contains("777.7"))
            #expect(seven.output.contains("llava-1.5-7b") && !seven.output.contains("llava-1.5-13b"))
        }
    }
}
