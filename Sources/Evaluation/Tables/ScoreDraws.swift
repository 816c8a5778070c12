/// A benchmark's score in many samples of its pictures: what intervals over several benchmarks are worked out from.
///
/// Samples follow from the benchmark's name and its questions alone, so that those of two methods belong together one by one,
/// whenever and wherever they were scored; samples of different benchmarks are independent.
public struct ScoreDraws: Sendable, Hashable {
    /// How many samples there are.
    public static let count = 1000

    /// The score in each, to 0.01.
    public let scores: [Double]

    /// Draws the pictures of `questions` anew; nil where the score is no sum over questions.
    init?(_ result: BenchmarkResult, of questions: [BenchmarkQuestion], benchmark: String) {
        guard !result.parts.isEmpty else { return nil }
        let parts = result.parts.sorted { $0.key < $1.key }
        scores = PairedBootstrap.draws(
            sums: parts.map(\.value), clusters: parts.map { questions[$0.key].image ?? "\($0.key)" },
            resamples: Self.count,
            seed: benchmark.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
        ) { result.rule.score($0[...]) }.map { (100 * $0).rounded() / 100 }
    }

    /// The 95 % interval of a method's mean score as a share of the mean without reduction, in per cent, over the same
    /// benchmarks; nil without any.
    static func retention(_ own: [ScoreDraws], of baseline: [ScoreDraws]) -> ClosedRange<Double>? {
        guard !own.isEmpty, own.count == baseline.count, (own + baseline).allSatisfy({ $0.scores.count == count })
        else { return nil }
        let shares = (0..<count).map { draw in
            let whole = baseline.reduce(0) { $0 + $1.scores[draw] }
            return whole > 0 ? 100 * own.reduce(0) { $0 + $1.scores[draw] } / whole : 0
        }
        let (low, high) = PairedBootstrap.interval(of: shares)
        return low...high
    }
}

extension ScoreDraws: Codable {
    /// Reads a list of scores.
    public init(from decoder: any Decoder) throws { scores = try [Double](from: decoder) }

    /// Writes the scores as a list.
    public func encode(to encoder: any Encoder) throws { try scores.encode(to: encoder) }
}
