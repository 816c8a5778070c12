public import SeededRandomness

/// A confidence interval for a difference between methods on the same questions.
///
/// Questions about one picture are not independent: whole pictures are drawn with replacement, each with all its
/// questions (cluster bootstrap, percentile interval of 95 %; Davison and Hinkley 1997, sections 3.8 and 5.3).
public struct PairedBootstrap: Sendable, Hashable {
    /// The mean, or the number that was asked for, over all questions.
    public let mean: Double
    /// The interval's lower end.
    public let low: Double
    /// The interval's upper end.
    public let high: Double

    /// The interval of the mean of `differences`, one for each question, which `clusters` assigns to pictures.
    public init(_ differences: [Double], clusters: [String], resamples: Int = 10_000, seed: UInt64 = 0) {
        self.init(
            sums: differences.map { [$0, 1] }, clusters: clusters, resamples: resamples, seed: seed
        ) { sums in
            sums[1] > 0 ? sums[0] / sums[1] : 0
        }
    }

    /// The interval of a number that `statistic` works out from sums over questions: `vectors` holds what each question adds
    /// to them.
    public init(
        sums vectors: [[Double]], clusters: [String], resamples: Int = 10_000, seed: UInt64 = 0,
        statistic: ([Double]) -> Double
    ) {
        guard let width = vectors.first?.count else {
            (mean, low, high) = (0, 0, 0)
            return
        }
        var whole = [Double](repeating: 0, count: width)
        for vector in vectors {
            for column in 0..<width { whole[column] += vector[column] }
        }
        mean = statistic(whole)
        (low, high) = Self.interval(
            of: Self.draws(
                sums: vectors, clusters: clusters, resamples: resamples, random: SplitMix64(seed: seed),
                statistic: statistic))
    }

    /// The number in each of `resamples` samples of pictures.
    public static func draws(
        sums vectors: [[Double]], clusters: [String], resamples: Int, random: SplitMix64,
        statistic: ([Double]) -> Double
    ) -> [Double] {
        let width = vectors.first?.count ?? 0
        precondition(
            vectors.count == clusters.count && resamples >= 100 && vectors.allSatisfy { $0.count == width },
            "one cluster and as many numbers for each question")
        var pictures: [Double] = [], places: [String: Int] = [:]
        for (vector, cluster) in zip(vectors, clusters) {
            let place = places[cluster] ?? places.count
            if place == places.count {
                places[cluster] = place
                pictures += [Double](repeating: 0, count: width)
            }
            for column in 0..<width { pictures[place * width + column] += vector[column] }
        }
        let count = places.count
        var random = random
        var values: [Double] = []
        values.reserveCapacity(resamples)
        var sums = [Double](repeating: 0, count: width)
        for _ in 0..<resamples {
            for column in 0..<width { sums[column] = 0 }
            // A benchmark has thousands of pictures, each with tens of numbers: without checks of every index.
            pictures.withUnsafeBufferPointer { drawn in
                sums.withUnsafeMutableBufferPointer { sums in
                    for _ in 0..<count {
                        let start = Int.random(in: 0..<count, using: &random) * width
                        for column in 0..<width { sums[column] += drawn[start + column] }
                    }
                }
            }
            values.append(statistic(sums))
        }
        return values
    }

    /// Where the middle 95 % of the numbers lie.
    public static func interval(of draws: [Double]) -> (low: Double, high: Double) {
        let sorted = draws.sorted(), last = Double(draws.count - 1)
        return (sorted[Int(0.025 * last)], sorted[Int((0.975 * last).rounded(.up))])
    }
}
