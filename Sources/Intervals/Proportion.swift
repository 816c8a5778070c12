/// A share of a sample with its 95 % confidence interval (Wilson 1927).
public struct Proportion: Encodable, Sendable, Hashable {
    /// The share, and the ends of its interval; 0 to 1.
    public let share, low, high: Double
    /// The size of the sample.
    public let scored: Int

    /// `right` of `count`, which is at least 1.
    public init(_ right: Int, of count: Int) {
        precondition(count >= 1 && (0...count).contains(right), "a share is of a sample that is not empty")
        let z = 1.959964, n = Double(count), p = Double(right) / n
        let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        // Rounding must not make an end of the scale a little less or more.
        (share, low, high) = (p, right == 0 ? 0 : centre - half, right == count ? 1 : centre + half)
        scored = count
    }
}
