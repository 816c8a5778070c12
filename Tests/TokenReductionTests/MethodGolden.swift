import Foundation
import Tensors
import TestSupport
import Testing
import TokenReduction

/// One step of a method and what an oracle made of it.
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
    /// Every visual token has the inputs of token i mod this.
    var alike: Int?
    /// Maps of attention, for rollout.
    var layers: Int?
    var scores: [Double]?
    /// Pieces of the question.
    var segments: Int?

    var testDescription: String { "\(method) \(options) \(grid) to \(keep), seed \(seed)" }

    /// Those of `make_method_goldens.py`, which says what the inputs are.
    static func first() throws -> [MethodGolden] { try read("method_goldens") }

    /// Those of `make_more_method_goldens.py`.
    static func further() throws -> [MethodGolden] { try read("method_goldens_more") }

    private static func read(_ name: String) throws -> [MethodGolden] {
        let file = Repository.fixture("reduction/\(name).json")
        return try JSONDecoder().decode([MethodGolden].self, from: Data(contentsOf: file))
    }

    var count: Int { grid[0] * grid[1] }
    var rows: Int { text[0] + count + text[1] }
    var layout: TokenLayout {
        TokenLayout(rows: rows, visual: [text[0]..<text[0] + count], classToken: class_token ? 0 : nil)
    }

    func stages() throws -> Stages {
        var (name, options) = (method, options)
        if method == "attention-rollout" {
            name = "composed"
            options = [
                "filter": method, "filter-layers": "\(layers ?? 1)", "place": class_token ? "encoder" : "decoder",
                "schedule": "at:1",
            ]
        }
        let method = try MethodCatalogue.method(named: name, options: options)
        return try #require(method.places.first.flatMap { method.stages(in: $0) })
    }

    /// Expects the rows `kept` of `hidden` to hold what the oracle's hold: each number, or a signed sum of each row.
    func expectContent(of kept: [Int], in hidden: Tensor, within tolerance: Double) {
        let table = hidden.gathered(kept).table
        if let states {
            #expect(table.count == states.count, "\(hidden.type)")
            for (row, expected) in zip(table, states) {
                #expect(zip(row, expected).allSatisfy { abs($0 - $1) < tolerance }, "\(hidden.type)")
            }
        }
        if let row_sums {
            #expect(table.count == row_sums.count, "\(hidden.type)")
            for (row, expected) in zip(table, row_sums) {
                let sum = row.enumerated().reduce(0) { $0 + ($1.offset % 3 == 0 ? -$1.element : $1.element) }
                #expect(abs(sum - expected) < 10 * tolerance, "\(hidden.type)")
            }
        }
    }
}
