import Evaluation
import Foundation
import Generation
import ImageDecoding
import JobModel
import JobVocabulary
import Tensors
import TestSupport
import Testing
import TokenReduction
import Tokenization
import VisionLanguage

/// The closed form against what the model counts while it runs.
struct ExecutedOperationsTests {
    /// What looks at the next layer and merges into rows that this layer is yet to read, before two layers of a place.
    static func merging(in place: String, by compressor: String) -> String {
        "composed:place=\(place),filter=upcoming-attention,correlate=key-neighbours,compress=\(compressor),"
            + "schedule=before:1,2"
    }

    @Test(
        "checkpoints, answers of several tokens",
        arguments: [
            ("hf", "none", nil), ("hf", "ficoco-v", 192), ("hf", "ficoco-l", 100), ("hf", "ficoco-vl", 31),
            ("hf", ExecutedOperationsTests.merging(in: "encoder", by: "neighbour-sum"), 64),
            ("hf", ExecutedOperationsTests.merging(in: "decoder", by: "neighbour-sum"), 64),
            ("small", "none", nil), ("small", "ficoco-v", 5), ("small", "ficoco-l", 3), ("small", "ficoco-vl", 2),
        ] as [(String, String, Int?)])
    func checkpoints(name: String, method: String, keep: Int?) throws {
        let directory = Repository.fixture("model/\(name)").path
        let model = try LLaVA(directory: directory, backend: CPUBackend(precision: .float32, threads: 2))
        let processor = try LLaVAProcessor(directory: directory, configuration: model.configuration)
        let choice = try MethodChoice(parsing: method)
        let plan = try ReductionPlan(
            method: choice.method, keep: keep, options: choice.options, model: model.configuration.depth)
        let picture = try processor.prepare(
            path: Repository.fixture("model/images/picture-0.png").path, framing: .crop)
        let prompt = try processor.prompt("What is this?", template: .vicunaV1)
        let engine = Engine(model: model, tokenizer: processor.tokenizer, capacity: 1)
        engine.admit(
            GenerationRequest(
                id: 0, prompt: prompt, pictures: [GenerationRequest.Picture(picture, key: nil)],
                plan: plan, sampling: .greedy,
                maxTokens: 7, stop: []))
        var ended: [Engine.Ended] = []
        while ended.isEmpty { ended = try engine.step() }
        let result = try ended[0].result.get()

        let text = prompt.text.count
        let account = try CostAccount(plan: plan, model: model.configuration, textTokens: text)
        let decoded = result.tokenIDs.count - 1
        #expect(decoded >= 1, "an answer that shows what decoding costs")
        #expect(account.rows.decoder[0].attention == result.promptTokens)
        #expect(account.executed.vision == result.flops.vision)
        #expect(account.executed.projector == result.flops.projector)
        #expect(account.executed.prefill == result.flops.prefill)
        #expect(account.executed.decode(tokens: decoded) == result.flops.decode)
        #expect(
            model.configuration.text.cacheBytes(account.rows.decoder, bitsPerNumber: 32, decoded: decoded)
                == result.cacheBytes)
    }

    /// Every method of the catalogue, in models with shared keys and values, with and without the class token; where heads
    /// share keys they cannot be seen as one, and so another compressor merges in the decoder.
    @Test(
        "the catalogue",
        arguments: MethodCatalogue.all.map(\.name) + [
            ExecutedOperationsTests.merging(in: "encoder", by: "neighbour-sum"),
            ExecutedOperationsTests.merging(in: "decoder", by: "self-preserving"),
        ], [false, true])
    func catalogue(method: String, keepsClassToken: Bool) throws {
        let choice = try MethodChoice(parsing: method)
        let model = try LLaVA(
            random: try sizes(keepsClassToken: keepsClassToken), seed: 7,
            backend: CPUBackend(precision: .float32, threads: 1))
        let c = model.configuration
        let patch = 3 * c.vision.patchSize * c.vision.patchSize
        let picture = Tensor(
            (0..<c.vision.patches * patch).map { Float(($0 * 7919) % 101) / 50 - 1 }, shape: [c.vision.patches, patch])
        for keep in method == "none" ? [nil] : [36, 35, 23] {
            let plan = try ReductionPlan(method: choice.method, keep: keep, options: choice.options, model: c.depth)
            for text in [1, 2, 19] {
                let prompt = try MultimodalPrompt(
                    ids: (0..<text / 2).map { $0 } + [c.imageToken] + (text / 2..<text).map { $0 },
                    imageToken: c.imageToken, visualTokens: c.visualTokens)
                let account = try CostAccount(plan: plan, model: c, textTokens: text)
                let encoded = try model.encode([TileRequest(patches: picture, plan: plan)])
                let (sequences, _) = try model.prefill(
                    [DecoderInput(prompt, encoded, plan: plan)], room: [4])
                #expect(encoded[0].towerFLOPs == account.executed.vision)
                #expect(encoded[0].projectorFLOPs == account.executed.projector)
                #expect(sequences[0].prefillFLOPs == account.executed.prefill)
                #expect(sequences[0].cacheBytes == account.cacheBytes(bitsPerNumber: 32))
                for token in 1...3 {
                    _ = try model.decode([token], sequences)
                    #expect(sequences[0].decodeFLOPs == account.executed.decode(tokens: token))
                }
            }
        }
    }

    /// Every size differs from every other, so that none can stand in for another.
    private func sizes(keepsClassToken: Bool) throws -> LLaVAConfiguration {
        var c = try #require(LLaVAConfiguration.named("llava-1.5-7b"))
        (c.vision.hidden, c.vision.intermediate, c.vision.layers, c.vision.heads) = (24, 40, 6, 3)
        (c.vision.imageSize, c.vision.patchSize) = (42, 7)
        (c.text.hidden, c.text.intermediate, c.text.layers) = (28, 44, 5)
        (c.text.heads, c.text.keyValueHeads, c.text.headSize, c.text.vocabulary) = (4, 2, 10, 50)
        (c.imageToken, c.keepsClassToken) = (50, keepsClassToken)
        return c
    }

    @Test func refusesWhatCannotBeRead() throws {
        let model = try #require(LLaVAConfiguration.named("llava-1.5-7b"))
        let plan = try ReductionPlan(method: "none", keep: nil, model: model.depth)
        for text in [-1, 4096 - 576, .max] {
            let error = #expect(throws: EvaluationError.self) {
                try CostAccount(plan: plan, model: model, textTokens: text)
            }
            #expect(error?.code == .badLength)
        }
        _ = try CostAccount(plan: plan, model: model, textTokens: 4096 - 577)
        let larger = try #require(LLaVAConfiguration.named("llava-1.5-13b"))
        #expect(throws: EvaluationError.self) { try CostAccount(plan: plan, model: larger, textTokens: 60) }
        var absurd = model
        (absurd.text.hidden, absurd.text.intermediate, absurd.text.context) = (65536, 1_048_576, 10_000_000)
        let error = #expect(throws: EvaluationError.self) {
            try CostAccount(plan: plan, model: absurd, textTokens: 9_000_000)
        }
        #expect(error?.code == .tooLarge)
    }
}
