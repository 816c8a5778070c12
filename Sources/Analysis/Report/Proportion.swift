/// A share of a sample with its 95 % confidence interval (Wilson 1927).
public struct Proportion: Encodable, Sendable {
    /// The share, and the ends of its interval; 0 to 1.
    public let share, low, high: Double
    /// The size of the sample.
    public let scored: Int

    /// `right` of `count`, which is at least 1.
    init(_ right: Int, of count: Int) {
        let z = 1.959964, n = Double(count), p = Double(right) / n
        let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        // Rounding must not make an end of the scale a little less or more.
        (share, low, high) = (p, right == 0 ? 0 : centre - half, right == count ? 1 : centre + half)
        scored = count
    }
}

extension Catalogue {
    /// How many of the answers that have accepted ones are among them; nil if none has.
    public func accuracy() throws -> Proportion? {
        let sql = "SELECT COUNT(*), SUM(correct) FROM jobs WHERE status = 'ok' AND correct >= 0"
        guard let row = try query(sql).rows.first, row[0].number >= 1 else { return nil }
        return Proportion(Int(row[1].number), of: Int(row[0].number))
    }
}
