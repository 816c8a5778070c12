/// How often values fell below each of a few bounds, as Prometheus counts them.
public struct Histogram: Sendable {
    /// Upper bounds, growing; what is above the last one is counted, too.
    public let bounds: [Double]
    /// Observations of each bucket alone, the one above all bounds last.
    public private(set) var counts: [UInt64]
    /// The sum of all observations.
    public private(set) var sum = 0.0

    /// Nothing observed yet.
    public init(bounds: [Double]) {
        self.bounds = bounds
        counts = Array(repeating: 0, count: bounds.count + 1)
    }

    /// Counts one value; what is no number is left out.
    public mutating func observe(_ value: Double) {
        guard value.isFinite else { return }
        counts[bounds.firstIndex { value <= $0 } ?? bounds.count] += 1
        sum += value
    }

    /// How many values were observed.
    public var total: UInt64 { counts.reduce(0, +) }
}
