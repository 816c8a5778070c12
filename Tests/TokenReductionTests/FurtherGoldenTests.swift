import Foundation
import JobVocabulary
import Tensors
import Testing
import TokenReduction

extension MethodGolden {
    /// The row whose inputs row `row` has.
    private func source(_ row: Int) -> Int {
        guard let alike, layout.visual.contains(row) else { return row }
        return text[0] + (row - text[0]) % alike
    }

    /// `(rows, width)` of the given seed.
    private func table(_ offset: Int, width: Int, scale: Double = 1) -> Tensor {
        var generator = Generator(seed: seed + offset)
        let made = generator.states(rows: rows, width: width).gathered((0..<rows).map(source))
        return Tensor(made.doubles.map { scale * $0 }, shape: made.shape)
    }

    /// The map of one layer, averaged over heads.
    private func map(layer: Int = 0) throws -> AttentionMap {
        var generator = Generator(seed: seed + 1000 + 10 * layer)
        let heads = generator.attention(heads: 3, rows: rows, scores: .probabilities, causal: causal).doubles
        var cells = [Double](repeating: 0, count: rows * rows)
        for head in 0..<3 {
            for row in 0..<rows {
                for column in 0..<rows {
                    cells[row * rows + column] += heads[(head * rows + source(row)) * rows + source(column)] / 3
                }
            }
        }
        return try AttentionMap(Tensor(cells, shape: [rows, rows]))
    }

    /// Everything that the oracle was given, in `precision`.
    fileprivate func furtherInputs(_ precision: ElementType) throws -> (hidden: Tensor, view: LayerView) {
        func stored(_ tensor: Tensor) -> Tensor { precision == .float32 ? tensor.inSinglePrecision : tensor }
        let hidden = table(0, width: width), keys = table(5000, width: 10)
        let maps = try (0..<(layers ?? 1)).map { layer in
            precision == .float32 ? try map(layer: layer).inSinglePrecision() : try map(layer: layer)
        }
        var evidence = Evidence(attention: maps.last, wholeKeys: stored(keys))
        evidence.earlierAttention = maps.dropLast()
        if method == "pyramiddrop" {
            // The oracle starts from the row of attention: logits whose softmax it is.
            let row = try map().row(rows - 1, columns: [0..<rows])
            evidence.upcoming = try UpcomingAttention(
                query: stored(Tensor([1.0], shape: [1, 1])),
                keys: stored(Tensor(row.map { log($0) }, shape: [rows, 1])), heads: Heads(count: 1, size: 1))
        } else {
            evidence.upcoming = try UpcomingAttention(
                query: stored(table(4000, width: 10, scale: 6).rows(0..<1)), keys: stored(keys),
                heads: Heads(count: 1, size: 10))
        }
        var norm = Generator(seed: seed + 8000)
        let gain = norm.numbers(width).map { 0.5 + $0 }
        let normalized = hidden.doubles.enumerated().map { $0.element * gain[$0.offset % width] }
        evidence.normalizedStates = stored(Tensor(normalized, shape: hidden.shape))
        if text[1] > 0 {
            evidence.raters = try RaterAttention.raters(of: stored(table(6000, width: width)), layout: layout)
        }
        return (
            stored(hidden),
            try LayerView(
                layout: layout, evidence: evidence, grid: PatchGrid(rows: grid[0], columns: grid[1]),
                positions: Array(0..<count))
        )
    }
}

@Suite("Every further method equals its float64 oracle")
struct FurtherGoldenTests {
    @Test(
        "the same tokens, in the same order, with the same content",
        arguments: try MethodGolden.further().filter { $0.method != "cdpruner" })
    func golden(golden: MethodGolden) throws {
        for (precision, tolerance) in [(ElementType.float64, 1e-10), (.float32, 1e-4)] {
            let stages = try golden.stages()
            let (hidden, view) = try golden.furtherInputs(precision)
            if stages.isAdaptive, let filter = stages.filter as? any CountingFilter {
                #expect(try filter.count(in: view) == golden.keep)
            }
            let step = try stages.reduce(view, hidden: hidden, removing: view.count - golden.keep)
            let first = view.layout.visual[0]
            let kept = step.kept.filter(view.layout.visual.contains)
            #expect(kept.map { $0 - first } == golden.kept, "\(precision)")
            let merges = step.merges.map { [$0.source - first, $0.target - first] }
            // The token in whose row a new one is made does not go: what it adds to its neighbours is no merge here.
            let expected = golden.merges.filter { !golden.kept.contains($0[0]) }
            #expect(merges.sorted { ($0[0], $0[1]) < ($1[0], $1[1]) } == expected, "\(precision)")
            if precision == .float64, let scores = golden.scores {
                #expect(zip(step.scores, scores).allSatisfy { abs(-$0 - $1) < tolerance })
            }
            golden.expectContent(of: kept, in: hidden, within: tolerance)
        }
    }

    @Test("a picture settles its own count, and the budget is the most that stays")
    func adaptive() throws {
        let model = ModelDepth(visionLayers: 3, languageLayers: 2, visualTokens: 36)
        for name in ["prumerge", "prumerge+"] {
            var counts: Set<Int> = []
            for seed in 1...6 {
                let free = try ReductionPlan(method: name, keep: nil, options: ["count": "adaptive"], model: model)
                var walk = try Walk(free, seed: seed)
                let kept = try walk.all().kept.count
                #expect(walk.run.plan.delivered == kept)
                counts.insert(kept)
                let capped = try ReductionPlan(method: name, keep: 2, options: ["count": "adaptive"], model: model)
                walk = try Walk(capped, seed: seed)
                #expect(try walk.all().kept.count == min(kept, 2))
            }
            #expect(counts.count > 1, "\(name): \(counts)")
        }
    }

    @Test("rollout looks back only as far as nothing was given up")
    func rolloutMemory() throws {
        let model = ModelDepth(visionLayers: 5, languageLayers: 1, visualTokens: 36)
        let plan = try ReductionPlan(
            method: "composed", keep: 20, options: ["filter": "attention-rollout", "schedule": "at:2,3"], model: model)
        let run = try TileReduction(plan: plan, grid: PatchGrid(rows: 6, columns: 6))
        let asks = (0..<5).map { run.needs(place: .visionEncoder, layer: $0).contains(.attentionProbabilities) }
        #expect(asks == [true, true, true, true, false])
        var walk = try Walk(plan, seed: 4)
        #expect(try walk.all().kept.count == 20)
    }
}
