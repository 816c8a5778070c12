/// Shares a source's content among its strongest correlations: those at or above the ε-quantile of its row.
///
///     τᵢ = quantile(Cᵢ, ε),   αᵢⱼ = Cᵢⱼ / Σ_{j': Cᵢⱼ' ≥ τᵢ} Cᵢⱼ'      (Han et al., section 3.2)
///
/// The quantile interpolates linearly, as numpy and torch do. The authors' code and the first version's figure take
/// strictly larger entries and weigh them by a softmax; we follow version 4.
///
/// The paper calls the number of targets token-adaptive. For distinct entries it is not: every row of n has the same
/// n − ⌈ε(n−1)⌉ of them, which for ε = 0.998 is 2 from 501 entries on and 1 below.
public struct QuantileShare: Sendable, Hashable {
    /// ε: the level of the quantile, 0 … 1.
    public let epsilon: Double

    /// Shares above the given level of the quantile.
    public init(epsilon: Double) {
        self.epsilon = epsilon
    }

    /// Reads `epsilon`; default: the paper's 0.998.
    init(reading options: inout MethodOptions) throws(ReductionError) {
        try self.init(epsilon: options.number("epsilon", default: 0.998, in: 0...1))
    }

    /// One phrase for the table of methods.
    public var summary: String { "≥ \(epsilon)-quantile of the row" }

    /// The edges of one source whose correlation with `targets[j]` is `row[j]`.
    ///
    /// Negative correlations, which only logits have, count as 0. Where the chosen ones do not sum to anything positive, as
    /// under a causal mask, they share equally.
    public func edges(of row: [Double], to targets: [Int]) throws(ReductionError) -> [Correlation.Edge] {
        guard !row.isEmpty else { return [] }
        let threshold = threshold(of: row)
        let chosen = row.indices.filter { row[$0] >= threshold }
        let total = chosen.reduce(0) { $0 + (row[$1] < 0 ? 0 : row[$1]) }
        guard total.isFinite, !chosen.isEmpty else {
            throw ReductionError(
                .notFinite, "correlations are not finite numbers: the layer's evidence holds NaN or infinity")
        }
        return chosen.map { entry in
            Correlation.Edge(
                target: targets[entry], weight: total > 0 ? max(row[entry], 0) / total : 1 / Double(chosen.count))
        }
    }

    /// The linearly interpolated ε-quantile of `row`.
    func threshold(of row: [Double]) -> Double {
        let rank = epsilon * Double(row.count - 1)
        let lower = Int(rank.rounded(.down))
        let fraction = rank - Double(lower)
        let tail = row.largest(row.count - lower)
        guard fraction > 0, tail.count > 1 else { return tail[0] }
        return tail[0] + fraction * (tail[1] - tail[0])
    }
}

extension [Double] {
    /// The `count` largest numbers, ascending. NaN counts as smaller than any number.
    fileprivate func largest(_ count: Int) -> [Double] {
        // The quantile of interest lies near the top: a short insertion beats sorting the row.
        guard count <= 32 else { return Array(map { $0.isNaN ? -.infinity : $0 }.sorted().suffix(count)) }
        var tail = [Double](repeating: -.infinity, count: count)
        for number in self where number > tail[0] {
            var place = 0
            while place + 1 < count, tail[place + 1] < number {
                tail[place] = tail[place + 1]
                place += 1
            }
            tail[place] = number
        }
        return tail
    }
}
