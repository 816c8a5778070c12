import Foundation

/// A confidence interval for the mean of differences between two methods on the same questions.
///
/// Questions about one picture are not independent: whole pictures are drawn with replacement, each with all its
/// questions (cluster bootstrap, percentile interval of 95 %; Davison and Hinkley 1997, sections 3.8 and 5.3).
public struct PairedBootstrap: Sendable, Hashable {
    /// The mean over all questions.
    public let mean: Double
    /// The interval's lower end.
    public let low: Double
    /// The interval's upper end.
    public let high: Double

    /// Whether the interval leaves out 0.
    public var excludesZero: Bool { low > 0 || high < 0 }

    /// The interval of `differences`, one for each question, which `clusters` assigns to pictures.
    public init(_ differences: [Double], clusters: [String], resamples: Int = 10_000, seed: UInt64 = 0) {
        precondition(differences.count == clusters.count && resamples >= 100, "one cluster for each difference")
        var sums: [(sum: Double, count: Double)] = [], place: [String: Int] = [:]
        for (difference, cluster) in zip(differences, clusters) {
            let own = place[cluster, default: sums.count]
            if own == sums.count {
                place[cluster] = own
                sums.append((0, 0))
            }
            sums[own].sum += difference
            sums[own].count += 1
        }
        mean = differences.isEmpty ? 0 : differences.reduce(0, +) / Double(differences.count)
        guard sums.count > 1 else {
            (low, high) = (mean, mean)
            return
        }
        var random = Counter(state: seed)
        var means = (0..<resamples).map { _ in
            var sum = 0.0, count = 0.0
            for _ in sums.indices {
                let drawn = sums[Int.random(in: sums.indices, using: &random)]
                sum += drawn.sum
                count += drawn.count
            }
            return sum / count
        }
        means.sort()
        low = means[Int(0.025 * Double(resamples - 1))]
        high = means[Int((0.975 * Double(resamples - 1)).rounded(.up))]
    }

    /// SplitMix64 (Steele et al. 2014): the same draw on every machine.
    private struct Counter: RandomNumberGenerator {
        var state: UInt64

        mutating func next() -> UInt64 {
            state &+= 0x9E37_79B9_7F4A_7C15
            var z = state
            z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
            z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
            return z ^ (z >> 31)
        }
    }
}
