import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// LLaVA-NeXT, which sees a picture as several tiles, from the items to what a user does with the results.
    @Suite struct SeveralTilesTests {
        private let folder: TemporaryDirectory
        private let model = Repository.fixture("model/next").path
        private let images = Repository.fixture("model/next_images").path
        private var batch: String { folder.file("batch.yaml").path }

        init() throws { folder = try TemporaryDirectory() }

        private func write(method: String, features: String = "projected", lines: String = "") throws -> String {
            let items = [
                #"{"id": "wide", "image": "wide.png", "prompt": "What is it?"}"#,
                #"{"id": "pair", "images": ["tall.png", "square.png"], "prompt": "What differs?"}"#,
                #"{"id": "none", "image": null, "prompt": "How many?"}"#,
            ]
            try Data(items.joined(separator: "\n").utf8).write(to: folder.file("items.jsonl"))
            let yaml = """
                name: tiles
                model: \(model)
                items: items.jsonl
                images: \(images)
                results: \(method)-\(features)
                template: hf
                precision: f32
                features: \(features)
                method: \(method == "none" ? "none" : "{name: \(method), keep: 6}")
                generation: {max_tokens: 4}
                \(lines)
                """
            try Data(yaml.utf8).write(to: folder.file("batch.yaml"))
            return folder.file("\(method)-\(features)").path
        }

        @Test(arguments: [("none", "projected"), ("none", "tower"), ("ficoco-v", "projected"), ("fastv", "projected")])
        func runAndLook(method: String, features: String) async throws {
            let results = try write(method: method, features: features)
            let end = try await winnow("run", batch, "--threads", "1")
            try #require(end.code == 0 && end.output.contains("3 of 3 jobs succeeded"), "\(end)")
            let verified = try await winnow("results", "verify", results)
            #expect(verified.code == 0, "\(verified)")
            let shards = try Shard.all(in: results)
            #expect(shards.reduce(into: Set()) { $0.formUnion($1.grids) } == [[4, 4]])
            let rows = Dictionary(uniqueKeysWithValues: shards.flatMap(\.rows).map { ($0.id, $0) })
            let wide = try #require(rows["wide"])
            let tiles = wide.leftAt.count / 16, padding = wide.leftAt.count { $0 == 254 }
            #expect(tiles >= 3 && wide.leftAt.count == 16 * tiles)
            switch method {
            case "none":
                #expect(padding > 0 && wide.kept.count == wide.leftAt.count - padding)
                #expect(wide.features == wide.kept.count)
            case "ficoco-v":
                #expect(padding == 0 && wide.kept.count == 6 * tiles && wide.features == 6 * tiles)
            default:
                #expect(padding > 0 && wide.kept.count == 6 * tiles)
                #expect(wide.features == wide.leftAt.count - padding)
            }
            let arguments =
                [
                    "answer", "--model", model, "--image", images + "/wide.png", "--prompt", "What is it?",
                    "--precision",
                    "f32", "--max-tokens", "4", "--threads", "1", "--template", "hf", "--output", "json",
                ] + (method == "none" ? [] : ["--method", method, "--keep", "6"])
            let single = try AnswerTests.Answer(printed: try await winnow(arguments).output)
            #expect(single.tokenIds == wide.tokenIDs.map { Int($0) } && single.visualTokens == wide.kept.count)
            let show = try await winnow("results", "show", "pair", results, "--drawing", "blocks")
            #expect(
                show.code == 0 && show.output.contains("\npicture 2 of 2, tile 3 of 5 (square.png)\n"), "\(show)")
            // What is stored of the batch runs as it stands.
            let stored = try String(contentsOfFile: results + "/batch.yaml", encoding: .utf8)
            let again = folder.file("again.yaml")
            try Data(stored.replacing("results: \"\(results)\"", with: "results: \"\(results)-again\"").utf8).write(
                to: again)
            let second = try await winnow("run", again.path, "--threads", "1")
            #expect(second.code == 0 && second.output.contains("3 of 3 jobs succeeded"), "\(second)")
            let report = try await winnow("report", results)
            #expect(report.code == 0 && report.errors.isEmpty, "\(report)")
        }

        @Test(.enabled(if: SystemPython.hasH5py, "needs Debian's python3-h5py"))
        func thePythonReaderKnowsWhichTokenAFeatureIs() async throws {
            let results = try write(method: "fastv")
            let end = try await winnow("run", batch, "--threads", "1")
            try #require(end.code == 0, "\(end)")
            try await writeReader(to: folder)
            let script = """
                import sys
                sys.path.insert(0, sys.argv[1])
                from winnow_results import open_results, LEFT_OUT
                results = open_results(sys.argv[2])
                for job in results:
                    index = job.feature_index
                    assert len(index) == len(job.features), (len(index), len(job.features))
                    assert (job.left_at[index] != LEFT_OUT).all() and set(job.kept) <= set(index)
                    there = sum(mask.sum() for mask in job.masks())
                    assert there == len(job.kept), (there, len(job.kept))
                pair = results["pair"]
                assert sorted(set(pair.segments["picture"])) == [0, 1] and len(pair.grids) == len(pair.segments["tile"])
                print("well")
                """
            #expect(try SystemPython.run(script, folder.url.path, results) == "well\n")
        }

        @Test func picturesAreTakenAsTheyAre() async throws {
            _ = try write(method: "none", lines: "image_mode: pad")
            let end = try await winnow("run", batch)
            #expect(end.code == 2 && end.errors.contains("leave image_mode"), "\(end)")
        }
    }
}
