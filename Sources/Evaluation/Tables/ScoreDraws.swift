import Intervals
import SeededRandomness

/// A benchmark's score in many samples of its pictures: what intervals over several benchmarks are worked out from.
///
/// Samples follow from the benchmark and its pictures alone, so that those of two methods belong together one by one,
/// whenever they were scored. Samples of different benchmarks are independent, but for one in two languages: `mmbench` and
/// `mmbench-cn` draw from the same start, and so the same pictures as far as both files hold the same.
public struct ScoreDraws: Sendable, Hashable, Codable {
    /// How many samples there are.
    public static let count = 1000

    /// Equal where the same pictures were drawn.
    public let pictures: UInt64
    /// The score in each sample, to 0.01.
    public let scores: [Double]

    /// Draws the pictures of `questions` anew; nil if the score is no sum over questions.
    init?(_ result: BenchmarkResult, of questions: [BenchmarkQuestion], benchmark: String) {
        guard !result.parts.isEmpty else { return nil }
        let parts = result.parts.sorted { $0.key < $1.key }
        let clusters = parts.map { questions[$0.key].image ?? "\($0.key)" }
        let random = SplitMix64(named: String(benchmark.prefix { $0 != "-" }))
        scores = PairedBootstrap.draws(
            sums: parts.map(\.value), clusters: clusters, resamples: Self.count, random: random
        ) { result.rule.score($0[...]) }.map { (100 * $0).rounded() / 100 }
        // With the first places that are drawn, for another version of Swift may draw others.
        var probe = random
        let drawn = (0..<8).map { _ in "\(Int.random(in: 0..<clusters.count, using: &probe))" }
        var named = SplitMix64(named: (clusters + drawn).joined(separator: "\n"))
        pictures = named.next()
    }

    /// The 95 % interval of a method's mean score as a share of the mean without reduction, in per cent, over the same
    /// benchmarks; nil without any, or where other pictures were drawn.
    static func retention(_ own: [ScoreDraws], of baseline: [ScoreDraws]) -> ClosedRange<Double>? {
        guard !own.isEmpty, own.map(\.pictures) == baseline.map(\.pictures),
            (own + baseline).allSatisfy({ $0.scores.count == count })
        else { return nil }
        let shares = (0..<count).map { draw in
            let whole = baseline.reduce(0) { $0 + $1.scores[draw] }
            return whole > 0 ? 100 * own.reduce(0) { $0 + $1.scores[draw] } / whole : 0
        }
        let (low, high) = PairedBootstrap.interval(of: shares)
        return low...high
    }
}
