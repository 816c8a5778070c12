import Foundation
import JobVocabulary
import Tensors
import TestSupport
import Testing
import TokenReduction

/// One case of `reduction_goldens.json`: a chain of reductions and what the oracle made of it.
struct Golden: Decodable, Sendable, CustomTestStringConvertible {
    struct Step: Decodable, Sendable {
        var pruned: [Int]
        /// Source, target, weight.
        var merges: [[Double]]
        var margin: Double?
        var scores: [Double]?
        var states: [[Double]]?
        var row_sums: [Double]?
    }

    var method: String
    var seed: Int
    var grid: [Int]
    var heads: Int
    var width: Int
    var removals: [Int]
    var text: [Int]
    var causal: Bool
    var options: [String: String]
    var steps: [Step]

    var testDescription: String {
        "\(method) \(grid) \(options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })"
    }

    static func all() throws -> [Golden] {
        let file = Repository.fixture("reduction/reduction_goldens.json")
        return try JSONDecoder().decode([Golden].self, from: Data(contentsOf: file))
    }
}

@Suite("Reductions equal the float64 oracle in every reading")
struct GoldenTests {
    @Test("in float64: the same indices, the same numbers", arguments: try Golden.all())
    func float64(golden: Golden) throws {
        try walk(golden, precision: .float64) { step, hidden, expected in
            #expect(step.pruned == expected.pruned)
            let merges = step.merges.sorted(by: oracleOrder(step.pruned))
            #expect(merges.map(\.source) == expected.merges.map { Int($0[0]) })
            #expect(merges.map(\.target) == expected.merges.map { Int($0[1]) })
            for (merge, edge) in zip(merges, expected.merges) {
                #expect(abs(merge.weight - edge[2]) <= 1e-11 * max(1, abs(edge[2])))
            }
            if let scores = expected.scores {
                #expect(step.scores.count == scores.count)
                #expect(zip(step.scores, scores).allSatisfy { abs($0 - $1) < 1e-12 })
            }
            if let states = expected.states {
                #expect(hidden.table.count == states.count)
                for (row, expected) in zip(hidden.table, states) {
                    #expect(zip(row, expected).allSatisfy { abs($0 - $1) < 1e-10 })
                }
            }
            if let sums = expected.row_sums {
                let signed = hidden.table.map { row in
                    row.enumerated().reduce(0) { $0 + ($1.offset % 3 == 0 ? -$1.element : $1.element) }
                }
                #expect(signed.count == sums.count)
                #expect(zip(signed, sums).allSatisfy { abs($0 - $1) < 1e-10 })
            }
        }
    }

    @Test("in float32: the same indices wherever the decision is wider than rounding", arguments: try Golden.all())
    func float32(golden: Golden) throws {
        guard golden.steps.allSatisfy({ $0.margin ?? 1 > 1e-6 }) else { return }
        try walk(golden, precision: .float32) { step, hidden, expected in
            #expect(hidden.type == .float32)
            #expect(Set(step.pruned) == Set(expected.pruned))
            #expect(
                Set(step.merges.map { [$0.source, $0.target] })
                    == Set(expected.merges.map { $0.prefix(2).map { Int($0) } }))
            guard let states = expected.states else { return }
            for (row, expected) in zip(hidden.table, states) {
                #expect(zip(row, expected).allSatisfy { abs($0 - $1) < 1e-4 })
            }
        }
    }

    @Test("a run through the layers goes the same way", arguments: try Golden.all())
    func run(golden: Golden) throws {
        let encoder = golden.method == "ficoco-v"
        let place: ReductionPlace = encoder ? .visionEncoder : .languageModel
        let (before, after) = encoder ? (1, 0) : (golden.text[0], golden.text[1])
        let grid = try PatchGrid(rows: golden.grid[0], columns: golden.grid[1])
        let plan = try ReductionPlan(
            method: golden.method, keep: grid.count - golden.removals.reduce(0, +), fromLayer: 0,
            options: golden.options,
            model: ModelDepth(
                visionLayers: golden.removals.count, languageLayers: golden.removals.count, visualTokens: grid.count))
        #expect(plan.removals(in: place) == golden.removals)
        var run = try PictureRun(plan: plan, grid: grid)
        var generator = Generator(seed: golden.seed)
        var hidden = generator.states(rows: before + grid.count + after, width: golden.width)
        var alive = Array(0..<grid.count)
        var leftAt = [UInt8](repeating: ReductionTrace.survived, count: grid.count)
        var edges: [[Int]] = []
        for (index, expected) in golden.steps.enumerated() {
            let needs = try run.needs(place: place, layer: index)
            let scores: AttentionScores = needs == .attentionLogits ? .logits : .probabilities
            var generator = Generator(seed: golden.seed + 1000 + index)
            let map = try AttentionMap(
                averagingHeadsOf: generator.attention(
                    heads: golden.heads, rows: hidden.rows, scores: scores, causal: golden.causal),
                scores: scores)
            let kept = try run.reduce(
                place: place, layer: index, hidden: hidden, evidence: Evidence(attention: map),
                layout: TokenLayout(
                    rows: hidden.rows, visual: [before..<before + alive.count], classToken: encoder ? 0 : nil))
            hidden = hidden.gathered(kept)
            let gone = Set(expected.pruned.map { $0 - before })
            for token in gone { leftAt[alive[token]] = UInt8(index) }
            edges += expected.merges.map { [index, alive[Int($0[0]) - before], alive[Int($0[1]) - before]] }
            alive = alive.indices.filter { !gone.contains($0) }.map { alive[$0] }
        }
        let trace = try run.trace()
        #expect(trace.kept.map { Int($0) } == alive)
        #expect(trace.leftAt == leftAt)
        #expect(Set(trace.merges.map { [Int($0.step), Int($0.source), Int($0.target)] }) == Set(edges))
        for (row, expected) in zip(hidden.table, golden.steps.last?.states ?? []) {
            #expect(zip(row, expected).allSatisfy { abs($0 - $1) < 1e-10 })
        }
    }

    @Test("the fixture holds every reading, chains, and grids that are not square")
    func coverage() throws {
        let goldens = try Golden.all()
        let readings = Set(goldens.map { $0.options.filter { ["axis", "scores", "version"].contains($0.key) } })
        for axis in ["row", "column"] {
            for scores in ["probabilities", "logits"] { #expect(readings.contains(["axis": axis, "scores": scores])) }
        }
        for axis in ["literal", "received"] {
            for version in ["v4", "v1"] { #expect(readings.contains(["axis": axis, "version": version])) }
        }
        for method in ["ficoco-v", "ficoco-l"] {
            #expect(goldens.contains { $0.method == method && $0.options["normalize"] == "l2" })
        }
        #expect(goldens.contains { $0.removals.count == 3 && $0.grid[0] != $0.grid[1] })
    }

    /// The oracle lists a source's targets in ascending order, sources as they were pruned.
    private func oracleOrder(_ pruned: [Int]) -> (ReductionStep.Merge, ReductionStep.Merge) -> Bool {
        { left, right in
            let (first, second) = (pruned.firstIndex(of: left.source) ?? 0, pruned.firstIndex(of: right.source) ?? 0)
            return first == second ? left.target < right.target : first < second
        }
    }

    /// Runs the chain, feeding each layer what our own previous one left.
    private func walk(
        _ golden: Golden, precision: ElementType, check: (ReductionStep, Tensor, Golden.Step) throws -> Void
    ) throws {
        let method = try MethodCatalogue.method(named: golden.method, options: golden.options)
        let stages = try #require(method.encoder ?? method.decoder)
        let scores: AttentionScores = golden.options["scores"] == "logits" ? .logits : .probabilities
        let grid = try PatchGrid(rows: golden.grid[0], columns: golden.grid[1])
        let encoder = method.encoder != nil
        let (before, after) = encoder ? (1, 0) : (golden.text[0], golden.text[1])

        var positions = Array(0..<grid.count)
        var generator = Generator(seed: golden.seed)
        var hidden = generator.states(rows: before + grid.count + after, width: golden.width)
        if precision == .float32 { hidden = hidden.inSinglePrecision }
        for (index, expected) in golden.steps.enumerated() {
            var generator = Generator(seed: golden.seed + 1000 + index)
            let heads = generator.attention(
                heads: golden.heads, rows: hidden.rows, scores: scores, causal: golden.causal)
            var map = try AttentionMap(averagingHeadsOf: heads, scores: scores)
            if precision == .float32 { map = try map.inSinglePrecision() }
            let layout = TokenLayout(
                rows: hidden.rows, visual: [before..<before + positions.count], classToken: encoder ? 0 : nil)
            let view = try LayerView(
                layout: layout, evidence: Evidence(attention: map), grid: grid, positions: positions)
            let step = try stages.reduce(view, hidden: hidden, removing: golden.removals[index])
            hidden = hidden.gathered(step.kept)
            positions = step.kept.filter(layout.visual.contains).map { positions[$0 - before] }
            try check(step, hidden, expected)
        }
    }
}

extension AttentionMap {
    /// The same map stored in float32.
    func inSinglePrecision() throws -> AttentionMap {
        let cells = (0..<queries).flatMap { row($0, columns: [0..<keys]) }
        return try AttentionMap(Tensor(cells.map { Float($0) }, shape: [queries, keys]), scores: scores)
    }
}
