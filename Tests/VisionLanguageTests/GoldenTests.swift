import Foundation
import Tensors
import TestSupport
import Testing
import TokenReduction
import Tokenization
import VisionLanguage

/// Against Hugging Face transformers 4.57 on tiny checkpoints.
struct GoldenTests {
    static let backends: [@Sendable () -> any Backend] = [
        { CPUBackend(precision: .float32, threads: 2) }, { PortableBackend(type: .float64) },
    ]

    @Test("f32 logits and 32 greedy tokens of 8 prompts", arguments: Golden.all, ["cpu-f32", "portable-f64"])
    func singlePrecision(golden: Golden, backend name: String) throws {
        let backend = try #require(Self.backends.map { $0() }.first { $0.name.hasPrefix(name) })
        let greedy = try GreedyModel(directory: golden.directory, backend: backend)
        let prompts = try golden.prompts()
        #expect(prompts.count == 8)
        let inputs = try prompts.map { try greedy.prompt($0) }
        for (input, prompt) in zip(inputs, prompts) {
            #expect(input.0.before + [greedy.model.configuration.imageToken] + input.0.after == prompt.prompt_token_ids)
        }
        let plan = try greedy.plan()
        let answers = try greedy.answer(inputs, plans: prompts.map { _ in plan }, tokens: 32)
        for (index, prompt) in prompts.enumerated() {
            let expected = try golden.numbers("last_logits/\(index)")
            #expect(relativeError(answers[index].logits, expected) < 1e-4, "prompt \(index)")
            #expect(answers[index].ids == prompt.token_ids, "prompt \(index)")
            let text = greedy.processor.tokenizer.decode(answers[index].ids)
            #expect(text.trimmingCharacters(in: .whitespacesAndNewlines) == prompt.answer)
        }
    }

    @Test("bf16 logits of 8 prompts", .enabled(if: CPUBackend.hasBFloat16, "needs a processor with AVX-512 BF16"))
    func halfPrecision() throws {
        let golden = Golden.all[0]
        let greedy = try GreedyModel(
            directory: golden.directory, backend: CPUBackend(precision: .bfloat16, threads: 2))
        let inputs = try golden.prompts().map { try greedy.prompt($0) }
        let plan = try greedy.plan()
        let answers = try greedy.answer(inputs, plans: inputs.map { _ in plan }, tokens: 1)
        for index in inputs.indices {
            #expect(relativeError(answers[index].logits, try golden.numbers("last_logits/\(index)")) < 2e-2)
        }
    }

    @Test("features that enter the decoder", arguments: Golden.all)
    func features(golden: Golden) throws {
        let greedy = try GreedyModel(directory: golden.directory, backend: PortableBackend(type: .float64))
        let (_, patches) = try greedy.prompt(golden.prompts()[0])
        let encoded = try greedy.model.encode([TileRequest(patches: patches, plan: greedy.plan())])[0]
        let stride = Int(try golden.numbers("trace/row_stride")[0])
        let width = encoded.features.width, values = encoded.features.doubles
        let sampled = Swift.stride(from: 0, to: encoded.features.rows, by: stride).flatMap {
            values[$0 * width..<($0 + 1) * width]
        }
        #expect(relativeError(sampled, try golden.numbers("trace/projector")) < 1e-5)
    }
}
