import Foundation
import Tensors
import TestSupport
import Testing
import TokenReduction

/// One case of `method_goldens.json`: one step of a method and what the oracle made of it.
struct MethodGolden: Decodable, Sendable, CustomTestStringConvertible {
    var method: String
    var options: [String: String]
    var seed: Int
    var grid: [Int]
    var keep: Int
    var width: Int
    /// Rows before and after the image; the class token is one.
    var text: [Int]
    var class_token: Bool
    var causal: Bool
    /// Visual tokens, in output order.
    var kept: [Int]
    /// Source and target.
    var merges: [[Int]]
    var states: [[Double]]?
    var row_sums: [Double]?

    var testDescription: String { "\(method) \(options) \(grid) to \(keep)" }

    /// Those of the first oracle; ``FurtherGolden`` are those of the second.
    static func all() throws -> [MethodGolden] {
        let file = Repository.fixture("reduction/method_goldens.json")
        return try JSONDecoder().decode([MethodGolden].self, from: Data(contentsOf: file))
    }

    /// What the generator makes of the seed, in `precision`.
    func inputs(_ precision: ElementType) throws -> (hidden: Tensor, view: LayerView) {
        let count = grid[0] * grid[1], rows = text[0] + count + text[1]
        func stored(_ tensor: Tensor) -> Tensor { precision == .float32 ? tensor.inSinglePrecision : tensor }
        var (states, map, keys, sizes) = (
            Generator(seed: seed), Generator(seed: seed + 1000), Generator(seed: seed + 2000),
            Generator(seed: seed + 3000)
        )
        let attention = try AttentionMap(
            averagingHeadsOf: map.attention(heads: 3, rows: rows, scores: .probabilities, causal: causal))
        let view = try LayerView(
            layout: TokenLayout(rows: rows, image: text[0]..<text[0] + count, classToken: class_token ? 0 : nil),
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
    @Test("the same tokens, in the same order, with the same content", arguments: try MethodGolden.all())
    func golden(golden: MethodGolden) throws {
        for (precision, tolerance) in [(ElementType.float64, 1e-11), (.float32, 1e-4)] {
            let method = try MethodCatalogue.method(named: golden.method, options: golden.options)
            let stages = try #require(method.places.first.flatMap { method.stages(in: $0) })
            let (hidden, view) = try golden.inputs(precision)
            let step = try stages.reduce(view, hidden: hidden, removing: view.count - golden.keep)
            let first = view.layout.image.lowerBound
            let kept = step.kept.filter(view.layout.image.contains)
            #expect(kept.map { $0 - first } == golden.kept)
            #expect(
                step.merges.map { [$0.source - first, $0.target - first] }.sorted { $0[0] < $1[0] } == golden.merges)
            #expect(step.merges.allSatisfy { $0.weight == 1 })
            let table = hidden.gathered(kept).table
            if let states = golden.states {
                #expect(table.count == states.count)
                for (row, expected) in zip(table, states) {
                    #expect(zip(row, expected).allSatisfy { abs($0 - $1) < tolerance })
                }
            }
            if let sums = golden.row_sums {
                #expect(table.count == sums.count)
                for (row, expected) in zip(table, sums) {
                    let sum = row.enumerated().reduce(0) { $0 + ($1.offset % 3 == 0 ? -$1.element : $1.element) }
                    #expect(abs(sum - expected) < 10 * tolerance)
                }
            }
        }
    }

    @Test("every method of the catalogue is among them; FiCoCo has goldens of its own, and the composed none")
    func coverage() throws {
        let others = Set(
            MethodCatalogue.all.map(\.name).filter { $0 != "none" && $0 != "composed" && !$0.hasPrefix("ficoco") })
        let more = try FurtherGolden.all().map(\.method).filter { $0 != "attention-rollout" }
        #expect(Set(try MethodGolden.all().map(\.method) + more) == others)
    }
}
