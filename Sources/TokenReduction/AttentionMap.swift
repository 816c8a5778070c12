public import Tensors

/// What the numbers of an attention map are.
public enum AttentionScores: String, Sendable, Hashable, CaseIterable {
    /// softmax(QKᵀ/√d): each row sums to one over all keys.
    case probabilities
    /// QKᵀ/√d, before mask and softmax: any sign.
    case logits

    /// The evidence that a stage needs to read such a map.
    public var needs: EvidenceNeeds { self == .probabilities ? .attentionProbabilities : .attentionLogits }
}

/// A head-mean attention map A, (queries, keys): `A[q, k]` is the attention of query row q to key row k.
///
/// Stages read it through the few sums that the papers' equations are made of. The map stays in the precision it was
/// made in; every sum is taken in Double. Ranges must lie inside the map.
public struct AttentionMap: Sendable {
    /// What the numbers are.
    public let scores: AttentionScores
    /// Rows of the map.
    public let queries: Int
    /// Columns of the map.
    public let keys: Int
    let cells: Tensor

    /// The map in `cells`, (queries, keys), float32 or float64, already averaged over heads.
    public init(_ cells: Tensor, scores: AttentionScores = .probabilities) throws(ReductionError) {
        guard cells.shape.count == 2, cells.isReadable else {
            throw ReductionError(
                .mismatch,
                "an attention map is (queries, keys) in float32 or float64, not \(cells.shape) \(cells.type.rawValue)")
        }
        self.scores = scores
        self.queries = cells.shape[0]
        self.keys = cells.shape[1]
        self.cells = cells
    }

    /// The mean over the heads of `cells`, (heads, queries, keys), taken in Double.
    public init(averagingHeadsOf cells: Tensor, scores: AttentionScores = .probabilities) throws(ReductionError) {
        guard cells.shape.count == 3, cells.shape[0] > 0, cells.isReadable else {
            throw ReductionError(
                .mismatch,
                "attention with heads is (heads, queries, keys) in float32 or float64, not \(cells.shape) "
                    + cells.type.rawValue)
        }
        try self.init(cells.meanOfOutermost(), scores: scores)
    }

    /// For each of `columns`, Σ over `rows` of A[row, column]: how much a token is looked at.
    public func columnSums(rows: [Range<Int>], columns: [Range<Int>]) -> [Double] {
        combination(of: rows, weights: [Double](repeating: 1, count: rows.extent), columns: columns)
    }

    /// For each of `rows`, Σ over `columns` of A[row, column]: how much a token looks at others.
    public func rowSums(rows: [Range<Int>], columns: [Range<Int>]) -> [Double] {
        check(rows, columns)
        return rows.joined().map { row in columns.reduce(0) { $0 + cells.sum(row: row, columns: $1) } }
    }

    /// A[row, columns].
    public func row(_ row: Int, columns: [Range<Int>]) -> [Double] {
        check([row..<row + 1], columns)
        return columns.flatMap { cells.values(row: row, columns: $0) }
    }

    /// A[rows, column].
    public func column(_ column: Int, rows: [Range<Int>]) -> [Double] {
        check(rows, [column..<column + 1])
        return rows.flatMap { cells.values(rows: $0, column: column) }
    }

    /// For each of `columns`, Σ over `rows` of weight[row] · A[row, column].
    public func combination(of rows: [Range<Int>], weights: [Double], columns: [Range<Int>]) -> [Double] {
        check(rows, columns)
        precondition(weights.count == rows.extent, "one weight for each row")
        return columns.flatMap { cells.combination(of: rows, weights: weights, columns: $0) }
    }

    private func check(_ rows: [Range<Int>], _ columns: [Range<Int>]) {
        precondition(
            rows.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= queries }
                && columns.allSatisfy { $0.lowerBound >= 0 && $0.upperBound <= keys },
            "rows \(rows), columns \(columns) of a \(queries) x \(keys) map")
    }
}

extension [Range<Int>] {
    /// How many indices the runs hold together.
    var extent: Int { reduce(0) { $0 + $1.count } }
}
