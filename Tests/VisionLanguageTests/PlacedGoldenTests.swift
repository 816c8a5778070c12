import Foundation
import JobVocabulary
import Tensors
import TestSupport
import Testing
import TokenReduction
import VisionLanguage

/// What a float64 reference computes when a method runs inside the checkpoint `hf` (Tests/Fixtures/README.md).
struct PlacedGolden: Decodable, Sendable, CustomTestStringConvertible {
    struct Step: Decodable, Sendable {
        let place: String
        let layer: Int
        /// In the order of the sequence.
        let kept: [Int]
    }

    let prompt: Int
    let method: String
    let keep: Int
    let options: [String: String]
    let removals: [String: [Int]]
    let steps: [Step]
    let cache_rows: [Int]
    let feature_rows: [Int]
    let features: [[Double]]
    let last_logits: [Double]
    let token_ids: [Int]

    var testDescription: String { "\(method) \(keep) \(options.map { "\($0)=\($1)" }.sorted())" }

    static let all: [PlacedGolden] = {
        let url = Repository.fixture("reduced/placed_goldens.json")
        let read = Result { try JSONDecoder().decode([PlacedGolden].self, from: Data(contentsOf: url)) }
        return (try? read.get()) ?? []
    }()
}

/// Every place, moment and order inside the whole model, against an independent float64 forward pass.
struct PlacedGoldenTests {
    @Test("there is a case for each method that merges or prunes as published, bar the controls that only pick places")
    func cases() {
        let methods = Set(PlacedGolden.all.map(\.method))
        let named = MethodCatalogue.all.map(\.name).filter { !$0.hasPrefix("ficoco") }
        #expect(methods == Set(named).subtracting(["none", "random", "uniform-grid"]))
    }

    @Test("the portable backend agrees to the last digits", arguments: PlacedGolden.all)
    func doublePrecision(golden: PlacedGolden) throws {
        try check(golden, PortableBackend(type: .float64), tolerance: 1e-9)
    }

    @Test("single precision keeps the same tokens and answers the same", arguments: PlacedGolden.all)
    func singlePrecision(golden: PlacedGolden) throws {
        try check(golden, CPUBackend(precision: .float32, threads: 2), tolerance: 1e-3)
    }

    private func check(_ golden: PlacedGolden, _ backend: any Backend, tolerance: Double) throws {
        let greedy = try GreedyModel(directory: Golden.all[0].directory, backend: backend)
        let plan = try greedy.plan(golden.method, keep: golden.keep, options: golden.options)
        for place in ReductionPlace.allCases { #expect(plan.removals(in: place) == golden.removals[place.rawValue]) }

        let input = try greedy.prompt(Golden.all[0].prompts()[golden.prompt])
        let encoded = try greedy.model.encode([TileRequest(patches: input.1, plan: plan)])[0]
        for (row, expected) in zip(golden.feature_rows, golden.features) {
            #expect(relativeError(encoded.features.rows(row..<row + 1).doubles, expected) < tolerance, "row \(row)")
        }
        #expect(encoded.features.rows == encoded.reduction.plan.delivered)
        if !plan.isOpen { #expect(encoded.reduction.plan.delivered == plan.delivered) }

        let answer = try greedy.answer([input], plans: [plan], tokens: golden.token_ids.count)[0]
        let trace = try answer.sequence.reduction.trace()
        #expect(trace.steps.map(\.layer) == golden.steps.map(\.layer))
        #expect(trace.steps.map(\.place.rawValue) == golden.steps.map(\.place))
        for (index, step) in golden.steps.enumerated() {
            #expect(trace.kept(afterStep: index) == step.kept.sorted(), "step \(index)")
        }
        #expect(trace.kept.map { Int($0) } == golden.steps.last?.kept)
        #expect(relativeError(answer.logits, golden.last_logits) < tolerance)
        #expect(answer.ids == golden.token_ids)

        // Layers before the reduction hold the whole prompt, the others what is left.
        let text = greedy.model.configuration.text
        let rows = golden.cache_rows.reduce(0) { $0 + $1 + golden.token_ids.count - 1 }
        #expect(
            answer.sequence.cacheBytes == 2 * rows * text.keyValueHeads * text.headSize * backend.activationType.size)
    }
}
