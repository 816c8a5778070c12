import Foundation
import HDF5
import TestSupport
import Testing

/// A case of `Tests/Fixtures/reduction`: a chain of reductions and what the oracle made of it.
struct ReductionGolden: Decodable, Sendable, CustomTestStringConvertible {
    struct Step: Decodable, Sendable {
        let pruned: [Int]
        /// Source, target, weight.
        let merges: [[Double]]
        let scores: [Double]?
        let states: [[Double]]?
    }

    let method: String
    let seed: UInt64
    let grid: [Int]
    let heads, width: Int
    let removals, text: [Int]
    let causal: Bool
    let options: [String: String]
    let steps: [Step]

    var testDescription: String {
        "\(method) \(grid) \(options.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" })"
    }

    var tokens: Int { grid[0] * grid[1] }
    var rows: Int { imageStart + tokens + (hasClassToken ? 0 : text[1]) }
    private var hasClassToken: Bool { method == "ficoco-v" }
    private var imageStart: Int { hasClassToken ? 1 : text[0] }

    /// Those that hold the states after each step.
    static func all() throws -> [ReductionGolden] {
        let file = Repository.fixture("reduction/reduction_goldens.json")
        return try JSONDecoder().decode([ReductionGolden].self, from: Data(contentsOf: file))
            .filter { $0.steps[0].states != nil }
    }

    /// The input of the first step, by the generator of `make_reduction_goldens.py`.
    func reductionCase() -> ReductionCase {
        var generator = Generator(state: seed)
        let hidden = generator.numbers(rows * width).map { 2 * $0 - 1 }
        generator = Generator(state: seed + 1000)
        var attention = generator.numbers(heads * rows * rows)
        if options["scores"] == "logits" {
            attention = attention.map { 8 * $0 - 2 }
        } else {
            for start in stride(from: 0, to: attention.count, by: rows) {
                let query = start / rows % rows
                for key in 0..<rows {
                    let square = attention[start + key] * attention[start + key]
                    attention[start + key] = causal && key > query ? 0 : square * square
                }
                let total = attention[start..<start + rows].reduce(0, +)
                for key in 0..<rows { attention[start + key] /= total }
            }
        }
        return ReductionCase(
            hidden: hidden, hiddenShape: [rows, width], attention: attention, attentionShape: [heads, rows, rows],
            attributes: [
                "class_token": .integer(hasClassToken ? 0 : -1), "image_start": .integer(Int64(imageStart)),
                "image_count": .integer(Int64(tokens)), "grid": .integers(grid.map { Int64($0) }), "precision": "f64",
            ])
    }

    private struct Generator {
        var state: UInt64

        mutating func numbers(_ count: Int) -> [Double] {
            (0..<count).map { _ in
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Double(state >> 11) / Double(UInt64(1) << 53)
            }
        }
    }
}
