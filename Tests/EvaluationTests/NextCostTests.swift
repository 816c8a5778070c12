import Evaluation
import Foundation
import Generation
import ImageDecoding
import JobModel
import Tensors
import TestSupport
import Testing
import TokenReduction
import Tokenization
import VisionLanguage

/// What pictures of several tiles cost, as the model counts it and as papers do.
@Suite struct NextCostTests {
    private func released() throws -> LLaVAConfiguration {
        var model = try #require(LLaVAConfiguration.named("llava-1.5-7b"))
        model.anyResolution = .released
        return model
    }

    private func tiling(width: Int, height: Int) -> PictureTiling {
        let canvas = TileCanvas(
            forWidth: width, height: height, choosingFrom: AnyResolution.released.canvases, tile: 336)
        return PictureTiling(canvas, width: width, height: height, side: 24)
    }

    /// Reading the prompt in LLM-Viewer's formula, in 10¹² operations, with 60 tokens of text.
    private func viewer(
        _ method: String, keep: Int?, width: Int, height: Int
    ) throws -> (operations: Double, rows: Int) {
        let model = try released()
        let account = try CostAccount(
            plan: ReductionPlan(method: method, keep: keep, model: model.depth), model: model, textTokens: 60,
            picture: tiling(width: width, height: height))
        let entry = try #require(account.published.first { $0.convention == .llmViewer })
        return (entry.prefill / 1e12, account.rows.decoder[0].attention)
    }

    @Test("FiCoCo's figures for LLaVA-NeXT-7B are 64 and 32 tokens for each of 5 tiles; all 2,880 leave newlines out")
    func published() throws {
        for (keep, printed) in [(64, 5.0), (32, 2.9)] {
            let (operations, rows) = try viewer("ficoco-v", keep: keep, width: 1000, height: 1000)
            #expect(rows == 5 * keep + 60)
            #expect(abs(operations - printed) <= 0.05)
        }
        let all = PublishedConvention.llmViewer.prefill(
            LayerRows.constant(5 * 576 + 60, layers: 32), of: try released().text)
        #expect(abs(all / 1e12 - 42.7) <= 0.05)
        // With them, and without what shows padding alone.
        for (width, height, rows, operations) in [
            (1000, 1000, 2928, 43.43), (1024, 768, 2340, 34.14), (336, 336, 1176, 16.82),
        ] {
            let found = try viewer("none", keep: nil, width: width, height: height)
            #expect(found.rows == rows + 60 && abs(found.operations - operations) <= 0.005)
        }
    }

    @Test(
        "the closed form is what a run counts",
        arguments: [
            ("none", nil), ("ficoco-v", 6), ("ficoco-l", 6), ("ficoco-vl", 6), ("fastv", 6), ("pyramiddrop", 6),
        ]
            as [(String, Int?)], ["wide", "panorama", "no_grid_rows"])
    func executed(reduction: (method: String, keep: Int?), name: String) throws {
        let directory = Repository.fixture("model/next").path
        let model = try LLaVA(directory: directory, backend: CPUBackend(precision: .float32, threads: 2))
        let processor = try LLaVAProcessor(directory: directory, configuration: model.configuration)
        let plan = try ReductionPlan(
            method: reduction.method, keep: reduction.keep, model: model.configuration.depth)
        let picture = try processor.prepare(
            path: Repository.fixture("model/next_images/\(name).png").path, framing: nil)
        let prompt = try processor.prompt("What is this?", template: .vicunaV1)
        let engine = Engine(model: model, tokenizer: processor.tokenizer, capacity: 1)
        engine.admit(
            GenerationRequest(
                id: 0, prompt: prompt, pictures: [GenerationRequest.Picture(picture, key: nil)], plan: plan,
                sampling: .greedy, maxTokens: 5))
        var ended: [Engine.Ended] = []
        while ended.isEmpty { ended = try engine.step() }
        let result = try ended[0].result.get(), decoded = result.tokenIDs.count - 1
        let account = try CostAccount(
            plan: plan, model: model.configuration, textTokens: prompt.text.count, picture: picture.tiling)
        #expect(account.rows.tiles == picture.tiles.count)
        #expect(account.rows.decoder[0].attention == result.promptTokens)
        #expect(account.executed.vision == result.flops.vision)
        #expect(account.executed.projector == result.flops.projector)
        #expect(account.executed.prefill == result.flops.prefill)
        #expect(account.executed.decode(tokens: decoded) == result.flops.decode)
    }

    @Test("without a picture's size there is no figure")
    func unknownSize() throws {
        let model = try released(), plan = try ReductionPlan(method: "none", keep: nil, model: model.depth)
        let error = #expect(throws: EvaluationError.self) {
            try CostAccount(plan: plan, model: model, textTokens: 60)
        }
        #expect(error?.code == .mismatch && error?.message.contains("split into tiles") == true)
    }
}
