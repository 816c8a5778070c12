import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// Features beyond what float16 holds: a job says so, or does not store them.
    @Suite struct FiniteFeaturesTests {
        /// The demo model with a million added to one feature of every token, by the bias of its projector in bfloat16.
        private func model(in folder: TemporaryDirectory) throws -> String {
            let model = folder.file("model")
            try FileManager.default.copyItem(atPath: Demo.model, toPath: model.path)
            let file = model.appendingPathComponent("model.safetensors")
            var bytes = try Data(contentsOf: file)
            let length = bytes.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
            let header = try JSONSerialization.jsonObject(with: bytes[8..<8 + length]) as? [String: Any]
            let bias = try #require(header?["multi_modal_projector.linear_2.bias"] as? [String: Any])
            let start = try #require((bias["data_offsets"] as? [Int])?.first) + 8 + length
            bytes.replaceSubrange(start..<start + 2, with: [0x74, 0x49])
            try bytes.write(to: file)
            return model.path
        }

        @Test func whatFloat16CannotHoldIsSaid() async throws {
            let folder = try TemporaryDirectory()
            let batch = try TestBatch(
                Demo.items(2), maxTokens: 2, model: model(in: folder), lines: "queue: {retries: 0}")
            let end = try await winnow("run", batch.path, "--output", "json")
            #expect(end.code == 3, "\(end)")
            let rows = try Shard.all(in: batch.results).flatMap(\.rows)
            #expect(rows.count == 2)
            for row in rows {
                #expect(row.failed && row.features == 0)
                #expect(row.error.contains("65504") && row.error.contains("features: none"), "\(row.error)")
            }
            let without = try await winnow("run", batch.path, "--new", "--features", "none", "--output", "json")
            #expect(without.code == 0, "\(without)")
        }
    }
}
