/// A share of a sample with its 95 % confidence interval (Wilson 1927).
struct Proportion: Encodable {
    let share, low, high: Double
    let scored: Int

    init(_ right: Int, of count: Int) {
        let z = 1.959964, n = Double(count), p = Double(right) / n
        let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        (share, low, high, scored) = (p, max(0, centre - half), min(1, centre + half), count)
    }
}
