public import JobModel

/// What each question adds to the score of one cell, so that the score can be worked out for other samples of pictures.
public struct ScoreParts: Sendable, Hashable {
    /// How the score comes from the sums.
    public let rule: ScoreRule
    /// What the questions add, in their order; nil for one that adds nothing, such as a rotation of MMBench.
    let vectors: [[Double]?]

    /// A mean over questions, of which each contributes from 0 to 1.
    public init(mean contributions: [Double]) {
        rule = .mean
        vectors = contributions.map { [$0, 1] }
    }

    /// The parts of a benchmark's score; nil unless the items ask for all of them.
    public init?(_ result: BenchmarkResult, items: [Item]) {
        rule = result.rule
        vectors = items.map { item in
            BenchmarkItems.question(item.id.rawValue).flatMap { result.parts[$0.row] }
        }
        guard !result.parts.isEmpty, vectors.count(where: { $0 != nil }) == result.parts.count else { return nil }
    }

    /// The score of all questions.
    var score: Double {
        var sums = [Double](repeating: 0, count: rule.width)
        for vector in vectors.compactMap(\.self) {
            for (column, number) in vector.enumerated() { sums[column] += number }
        }
        return rule.score(sums[...])
    }

    /// The share of each question, where the score is a mean.
    var shares: [Double?]? { rule == .mean ? vectors.map { $0?.first } : nil }

    /// Whether each answer is right, nil for a question that adds nothing; nil if the score does not call an answer right or
    /// wrong, as where an answer counts in part or only with another one about its picture.
    public var verdicts: [Bool?]? {
        switch rule {
        case .mean:
            shares.flatMap { $0.allSatisfy { $0 == nil || $0 == 0 || $0 == 1 } ? $0.map { $0.map { $0 == 1 } } : nil }
        case .meanF1:
            vectors.map { sums in
                sums.map { sums in
                    stride(from: 0, to: sums.count, by: 3).allSatisfy { sums[$0 + 1] == 0 && sums[$0 + 2] == 0 }
                }
            }
        case .pairs: nil
        }
    }
}
