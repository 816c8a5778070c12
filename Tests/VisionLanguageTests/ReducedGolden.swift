import Foundation
import TestSupport
import Testing
import TokenReduction

/// What a float64 reference computes when FiCoCo runs inside the checkpoint `hf` (Tests/Fixtures/README.md).
struct ReducedGolden: Decodable, Sendable, CustomTestStringConvertible {
    struct Step: Decodable, Sendable {
        let place: String
        let layer: Int
        let kept: [Int]
    }

    struct Removals: Decodable, Sendable {
        let encoder: [Int]
        let decoder: [Int]
    }

    let prompt: Int
    let method: String
    let keep: Int
    let options: [String: String]
    let removals: Removals
    let steps: [Step]
    let cache_rows: [Int]
    let feature_rows: [Int]
    let features: [[Double]]
    let last_logits: [Double]
    let token_ids: [Int]

    var testDescription: String { "\(method) \(keep) \(options.map { "\($0)=\($1)" }.sorted())" }

    static let all: [ReducedGolden] = {
        let url = Repository.fixture("reduced/reduced_goldens.json")
        let read = Result { try JSONDecoder().decode([ReducedGolden].self, from: Data(contentsOf: url)) }
        return (try? read.get()) ?? []
    }()
}

extension ReductionTrace {
    /// The original positions left after step `index`.
    func kept(afterStep index: Int) -> [Int] { leftAt.indices.filter { Int(leftAt[$0]) > index } }
}
