import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// `weights` of a batch: answers do not depend on who computes them, and results say which format it was.
    @Suite struct BatchWeightsTests {
        /// Runs a batch with its weights in int8, or as its file says.
        private func run(_ batch: TestBatch, _ arguments: String...) async throws -> AnsweredTokens {
            let end = try await winnow(["run", batch.path, "--new", "--output", "quiet"] + arguments)
            try #require(end.code == 0, "\(end)")
            return try AnsweredTokens(results: end.output.trimmingCharacters(in: .newlines))
        }

        @Test func workersAndThreadsChangeNoProbability() async throws {
            let batch = try TestBatch(Demo.items(16, every: 3))
            let one = try await run(batch, "--weights", "int8", "--workers", "1", "--threads", "1")
            let two = try await run(batch, "--weights", "int8", "--workers", "2", "--threads", "2")
            #expect(one.answers.keys.sorted() == batch.items.map(\.id).sorted())
            for (id, answer) in one.answers {
                #expect(two.answers[id] == answer, "\(id)")
                #expect(!answer.tokenIDs.isEmpty && answer.tokenIDs.count == answer.logProbabilities.count)
            }
            #expect(two.answers.count == one.answers.count)
            for generation in one.generations + two.generations {
                #expect(generation.weights == "int8" && generation.backend.hasPrefix("cpu-"), "\(generation)")
            }
            #expect(Set(one.models + two.models).count == 1)

            // The file's own choice, of the same items: no wish on the command line.
            let stored = try await run(batch, "--workers", "1")
            #expect(stored.generations.allSatisfy { $0.weights == "bf16" })
            #expect(stored.answers != one.answers)
        }

        /// Mapped or converted, the weights are the same, and results belong to the checkpoint.
        @Test func aBatchOfAPackedModelHasTheSameResults() async throws {
            let folder = try TemporaryDirectory()
            let packed = folder.file("packed").path
            let end = try await winnow("model", "pack", Demo.model, "--weights", "int8", "--out", packed)
            try #require(end.code == 0, "\(end)")
            let items = try Demo.items(6, every: 3)
            let converted = try await run(TestBatch(items, lines: "weights: int8"))
            let mapped = try await run(TestBatch(items, workers: 2, model: packed))
            #expect(mapped.answers == converted.answers && mapped.answers.count == 6)
            #expect((mapped.generations + converted.generations).allSatisfy { $0.weights == "int8" })
            #expect(Set(mapped.models + converted.models).count == 1)
            _ = folder
        }

        @Test(arguments: ["run", "submit"]) func anUnknownFormatInABatchFileIsNamed(command: String) async throws {
            let batch = try TestBatch(Demo.items(2), lines: "weights: int3")
            let before = try FileManager.default.contentsOfDirectory(atPath: batch.folder.url.path).sorted()
            let end = try await winnow(command, batch.path)
            #expect(end.code == 2 && end.output.isEmpty, "\(end)")
            for word in ["'weights'", "'int3'", "auto", "f32", "bf16", "f16", "int8", "w8a8", "int4"] {
                #expect(end.errors.contains(word), "\(word): \(end)")
            }
            #expect(try FileManager.default.contentsOfDirectory(atPath: batch.folder.url.path).sorted() == before)
        }

        @Test(arguments: [
            ["run", "batch.yaml"], ["submit", "batch.yaml"], ["answer", "--model", "m", "--prompt", "Hi"],
            ["model", "pack", "m", "--out", "absent"], ["model", "check", "m"],
        ])
        func anUnknownFormatOnTheCommandLineIsWrongUsage(arguments: [String]) async throws {
            let end = try await winnow(arguments + ["--weights", "int3"])
            #expect(end.code == 2 && end.output.isEmpty, "\(end)")
            #expect(end.errors.contains("f32, bf16, f16, int8, w8a8, int4, not 'int3' (did you mean int"), "\(end)")
        }
    }
}
