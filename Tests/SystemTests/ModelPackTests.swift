import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// `winnow model pack`: a checkpoint becomes a folder that answers as the checkpoint does.
    @Suite struct ModelPackTests {
        private struct Report: Decodable {
            let folder, weights: String
            let bytes: Int
        }

        private struct Answer: Decodable {
            let weights: String
            let tokenIds: [Int]
        }

        private let folder: TemporaryDirectory
        private var packed: String { folder.file("packed").path }

        init() throws { folder = try TemporaryDirectory() }

        private func pack(_ model: String, _ weights: String, to out: String) async throws -> RunningWinnow.End {
            try await winnow(
                "model", "pack", model, "--weights", weights, "--out", out, "--threads", "1", "--output", "json")
        }

        private func ask(_ item: TestBatch.Item, _ model: [String]) async throws -> RunningWinnow.End {
            try await winnow(
                ["answer"] + model + ["--image", "\(Demo.folder)/\(item.image)", "--prompt", item.prompt]
                    + ["--max-tokens", "8", "--threads", "1", "--output", "json"])
        }

        private func answer(_ item: TestBatch.Item, _ model: String...) async throws -> Answer {
            let end = try await ask(item, model)
            try #require(end.code == 0, "\(end)")
            return try Answer(printed: end.output)
        }

        private func files() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder.url.path).sorted()
        }

        @Test(arguments: ["bf16", "int8", "w8a8", "int4"])
        func aPackedModelAnswersAsTheCheckpointDoes(weights: String) async throws {
            let end = try await pack(Demo.model, weights, to: packed)
            try #require(end.code == 0, "\(end)")
            let report = try Report(printed: end.output)
            let size = try Data(contentsOf: folder.file("packed/winnow-packed.safetensors")).count
            #expect(report.folder == packed && report.weights == weights && report.bytes == size)
            #expect(try files() == ["packed"])
            for item in try Demo.items(2, every: 7) {
                let mapped = try await answer(item, "--model", packed)
                let converted = try await answer(item, "--model", Demo.model, "--weights", weights)
                #expect(mapped.weights == weights && converted.weights == weights)
                #expect(mapped.tokenIds == converted.tokenIds && !mapped.tokenIds.isEmpty)
            }
        }

        @Test func aPackedModelKeepsItsFormat() async throws {
            #expect(try await pack(Demo.model, "int8", to: packed).code == 0)
            let item = try #require(try Demo.items(1).first)
            let same = try await ask(item, ["--model", packed, "--weights", "int8"])
            #expect(same.code == 0, "\(same)")
            let other = try await ask(item, ["--model", packed, "--weights", "int4"])
            #expect(other.code == 2 && other.errors.contains("packed as int8"), "\(other)")
            let again = try await pack(packed, "int4", to: folder.file("again").path)
            #expect(again.code == 2 && again.errors.contains("packed already"), "\(again)")
            #expect(try files() == ["packed"])
        }

        @Test func whatExistsIsNotOverwritten() async throws {
            try FileManager.default.createDirectory(atPath: packed, withIntermediateDirectories: false)
            let refused = try await pack(Demo.model, "int8", to: packed)
            #expect(refused.code == 2 && refused.output.isEmpty, "\(refused)")
            #expect(refused.errors.contains("the folder exists; name a folder that does not: \(packed)"), "\(refused)")
            #expect(try files() == ["packed"])
            #expect(try FileManager.default.contentsOfDirectory(atPath: packed).isEmpty)
        }

        /// A checkpoint whose settings ask for one more layer than it holds: found in the middle of packing.
        @Test func packingThatFailsLeavesNothing() async throws {
            let short = folder.file("short").path
            try FileManager.default.copyItem(atPath: Demo.model, toPath: short)
            let settings = folder.file("short/config.json")
            let value = try JSONSerialization.jsonObject(with: Data(contentsOf: settings))
            var configuration = try #require(value as? [String: Any])
            var text = try #require(configuration["text_config"] as? [String: Any])
            let layers = try #require(text["num_hidden_layers"] as? Int)
            text["num_hidden_layers"] = layers + 1
            configuration["text_config"] = text
            try JSONSerialization.data(withJSONObject: configuration).write(to: settings)
            let end = try await pack(short, "int8", to: packed)
            #expect(end.code == 2 && end.errors.contains("layers.\(layers)."), "\(end)")
            #expect(try files() == ["short"])
        }
    }
}
