/// Seconds of the same work done several times.
struct Measurement {
    private(set) var seconds: [Double] = []

    /// Does the work once more and notes how long it took.
    mutating func time(_ work: () throws -> Void) rethrows {
        let clock = ContinuousClock(), start = clock.now
        try work()
        seconds.append((clock.now - start) / .seconds(1))
    }

    /// Adds the runs of another measurement of the same work.
    mutating func join(_ other: Measurement) { seconds += other.seconds }

    /// The median; half of the runs were faster.
    var median: Double { Self.median(seconds) }

    /// The median of the ratios of runs made in turn, and the least and greatest of them.
    func ratio(to other: Measurement) -> (median: Double, least: Double, greatest: Double) {
        let ratios = zip(seconds, other.seconds).map { $0 / $1 }
        return (Self.median(ratios), ratios.min() ?? 0, ratios.max() ?? 0)
    }

    private static func median(_ values: [Double]) -> Double {
        let sorted = values.sorted()
        guard !sorted.isEmpty else { return 0 }
        let middle = sorted.count / 2
        return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
    }
}
