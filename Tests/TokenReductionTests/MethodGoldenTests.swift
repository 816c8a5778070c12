import Tensors
import Testing
import TokenReduction

extension MethodGolden {
    /// What the generator makes of the seed, in `precision`.
    fileprivate func inputs(_ precision: ElementType) throws -> (hidden: Tensor, view: LayerView) {
        func stored(_ tensor: Tensor) -> Tensor { precision == .float32 ? tensor.inSinglePrecision : tensor }
        var (states, map, keys, sizes) = (
            Generator(seed: seed), Generator(seed: seed + 1000), Generator(seed: seed + 2000),
            Generator(seed: seed + 3000)
        )
        let attention = try AttentionMap(
            averagingHeadsOf: map.attention(heads: 3, rows: rows, scores: .probabilities, causal: causal))
        let view = try LayerView(
            layout: layout,
            evidence: Evidence(
                attention: precision == .float32 ? attention.inSinglePrecision() : attention,
                keys: stored(keys.states(rows: rows, width: 7))),
            grid: PatchGrid(rows: grid[0], columns: grid[1]), positions: Array(0..<count),
            // Only ToMe carries sizes from layers before.
            sizes: method == "tome" ? sizes.numbers(count).map { 1 + (4 * $0).rounded(.down) } : nil)
        return (stored(states.states(rows: rows, width: width)), view)
    }
}

@Suite("Every method equals its float64 oracle")
struct MethodGoldenTests {
    @Test("the same tokens, in the same order, with the same content", arguments: try MethodGolden.first())
    func golden(golden: MethodGolden) throws {
        for (precision, tolerance) in [(ElementType.float64, 1e-11), (.float32, 1e-4)] {
            let (hidden, view) = try golden.inputs(precision)
            let step = try golden.stages().reduce(view, hidden: hidden, removing: view.count - golden.keep)
            let first = view.layout.visual[0]
            let kept = step.kept.filter(view.layout.visual.contains)
            #expect(kept.map { $0 - first } == golden.kept)
            #expect(
                step.merges.map { [$0.source - first, $0.target - first] }.sorted { $0[0] < $1[0] } == golden.merges)
            #expect(step.merges.allSatisfy { $0.weight == 1 })
            golden.expectContent(of: kept, in: hidden, within: tolerance)
        }
    }

    @Test("every method of the catalogue is among them; FiCoCo has goldens of its own, and the composed none")
    func coverage() throws {
        let others = Set(
            MethodCatalogue.all.map(\.name).filter { $0 != "none" && $0 != "composed" && !$0.hasPrefix("ficoco") })
        let more = try MethodGolden.further().map(\.method).filter { $0 != "attention-rollout" }
        #expect(Set(try MethodGolden.first().map(\.method) + more) == others)
    }
}
