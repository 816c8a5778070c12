import JobVocabulary
import Testing
import TokenReduction
import VisionLanguage

/// In which layers each method reduces, given the depth of the model.
struct ReductionScheduleTests {
    private let tiny = ModelDepth(visionLayers: 3, languageLayers: 3, visualTokens: 576)

    @Test("the depth of a model is that of the layers that run")
    func depth() throws {
        #expect(try LLaVAConfiguration(directory: Golden.all[0].directory).depth == tiny)
        let released = try #require(LLaVAConfiguration.named("llava-1.5-7b"))
        #expect(released.depth == ModelDepth(visionLayers: 23, languageLayers: 32, visualTokens: 576))
    }

    @Test("the paper's layers for the paper's model, the same relative depth elsewhere")
    func firstLayer() throws {
        let released = try #require(LLaVAConfiguration.named("llava-1.5-7b")).depth
        #expect(try first("ficoco-v", .visionEncoder, released) == 11)
        #expect(try first("ficoco-l", .languageModel, released) == 3)
        // 11/23 of 3 layers is 1.4, 3/32 of 3 layers is 0.3.
        #expect(try first("ficoco-v", .visionEncoder, tiny) == 1)
        #expect(try first("ficoco-l", .languageModel, tiny) == 0)
        #expect(try first("ficoco-vl", .visionEncoder, tiny) == 1)
        #expect(try first("ficoco-vl", .languageModel, tiny) == 0)
    }

    @Test("exactly what is asked for is left, whatever the budget", arguments: [1, 63, 64, 128, 191, 192, 575, 576])
    func budget(keep: Int) throws {
        for method in ["ficoco-v", "ficoco-l", "ficoco-vl"] {
            let plan = try ReductionPlan(method: method, keep: keep, model: tiny)
            #expect(plan.tokens(entering: 3, of: .languageModel) == keep)
        }
    }

    @Test("--from-layer sets the first layer")
    func fromLayer() throws {
        let plan = try ReductionPlan(method: "ficoco-v", keep: 192, fromLayer: 2, model: tiny)
        #expect(plan.removals(in: .visionEncoder) == [0, 0, 384])
        let beyond = try #require(throws: ReductionError.self) {
            try ReductionPlan(method: "ficoco-v", keep: 192, fromLayer: 3, model: tiny)
        }
        #expect(beyond.code == .badLayer)
    }

    private func first(_ method: String, _ place: ReductionPlace, _ model: ModelDepth) throws -> Int? {
        try ReductionPlan(method: method, keep: 64, model: model).removals(in: place).firstIndex { $0 > 0 }
    }
}
