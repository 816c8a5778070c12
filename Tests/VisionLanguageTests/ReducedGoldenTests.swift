import JobVocabulary
import Tensors
import Testing
import TokenReduction
import VisionLanguage

/// Reductions inside the whole model, against an independent float64 forward pass around the paper's equations.
struct ReducedGoldenTests {
    @Test("there are cases for each method, in two readings")
    func cases() {
        for method in ["ficoco-v", "ficoco-l", "ficoco-vl"] {
            #expect(Set(ReducedGolden.all.filter { $0.method == method }.map(\.options)).count == 2, "\(method)")
        }
    }

    @Test("the portable backend agrees to the last digits", arguments: ReducedGolden.all)
    func doublePrecision(golden: ReducedGolden) throws {
        try check(golden, PortableBackend(type: .float64), tolerance: 1e-9)
    }

    @Test("single precision keeps the same tokens and answers the same", arguments: ReducedGolden.all)
    func singlePrecision(golden: ReducedGolden) throws {
        try check(golden, CPUBackend(precision: .float32, threads: 2), tolerance: 1e-4)
    }

    /// Compares everything the reference recorded.
    private func check(_ golden: ReducedGolden, _ backend: any Backend, tolerance: Double) throws {
        let greedy = try GreedyModel(directory: Golden.all[0].directory, backend: backend)
        let plan = try greedy.plan(golden.method, keep: golden.keep, options: golden.options)
        #expect(plan.removals(in: .visionEncoder) == golden.removals.encoder)
        #expect(plan.removals(in: .languageModel) == golden.removals.decoder)

        let input = try greedy.prompt(Golden.all[0].prompts()[golden.prompt])
        let encoded = try greedy.model.encode([TileRequest(patches: input.1, plan: plan)])[0]
        for (row, expected) in zip(golden.feature_rows, golden.features) {
            #expect(relativeError(encoded.features.rows(row..<row + 1).doubles, expected) < tolerance, "row \(row)")
        }

        let answer = try greedy.answer([input], plans: [plan], tokens: golden.token_ids.count)[0]
        let trace = try answer.sequence.reduction.trace()
        #expect(trace.steps.map(\.layer) == golden.steps.map(\.layer))
        #expect(trace.steps.map(\.place.rawValue) == golden.steps.map(\.place))
        for (index, step) in golden.steps.enumerated() {
            #expect(trace.kept(afterStep: index) == step.kept, "step \(index)")
        }
        #expect(trace.kept.map { Int($0) } == golden.steps.last?.kept)
        #expect(trace.kept.count == golden.keep)
        #expect(relativeError(answer.logits, golden.last_logits) < tolerance)
        #expect(answer.ids == golden.token_ids)
        #expect(answer.sequence.cacheBytes == cacheBytes(golden, greedy.model))
    }

    /// Keys and values of the rows each layer saw, and of every answer token but the last, which is never read.
    private func cacheBytes(_ golden: ReducedGolden, _ model: LLaVA) -> Int {
        let text = model.configuration.text
        let rows = golden.cache_rows.reduce(0) { $0 + $1 + golden.token_ids.count - 1 }
        return 2 * rows * text.keyValueHeads * text.headSize * model.backend.activationType.size
    }
}
