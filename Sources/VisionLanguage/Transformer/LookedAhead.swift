import Tensors

/// Queries, keys and values of the next layer, side by side, for those sequences of a batch whose reduction looked ahead to it:
/// that layer need not project their rows again, as long as these stay what they were.
struct LookedAhead {
    /// The rows of these sequences one after another.
    private let tensor: Tensor
    /// Which sequences, ascending, and where the rows of each are.
    private let segments: [(sequence: Int, rows: Range<Int>)]

    /// What was projected of `lengths` rows of each of `sequences`.
    init(_ tensor: Tensor, of sequences: [Int], lengths: [Int]) {
        self.tensor = tensor
        segments = Array(zip(sequences, RaggedRows.segments(of: lengths)))
        precondition(segments.last?.rows.upperBound == tensor.rows, "the sequences do not fill the rows")
    }

    /// The queries, keys and values of each sequence's kept rows, without sequences that have `changed`; nil if none is left.
    func keeping(_ kept: [[Int]], changed: Set<Int>, backend: any Backend) -> LookedAhead? {
        let left = segments.filter { !changed.contains($0.sequence) }
        guard !left.isEmpty else { return nil }
        let rows = left.flatMap { sequence, rows in kept[sequence].map { rows.lowerBound + $0 } }
        return LookedAhead(
            backend.gather(tensor, rows: rows, as: tensor.type), of: left.map(\.sequence),
            lengths: left.map { kept[$0.sequence].count })
    }

    /// The projections of all rows: `project` works out those of the other sequences.
    func completed(_ rows: RaggedRows, by project: (_ rows: RaggedRows, _ sequences: [Int]) -> Tensor) -> Tensor {
        guard segments.count < rows.segments.count else { return tensor }
        let own = Set(segments.map(\.sequence)), others = rows.segments.indices.filter { !own.contains($0) }
        let rest = rows.only(others), projected = project(rest, others)
        let whole = Tensor(shape: [rows.tensor.rows, tensor.width], type: tensor.type)
        for (sequence, place) in segments { whole.rows(rows.segments[sequence]).copy(from: tensor.rows(place)) }
        for (sequence, place) in zip(others, rest.segments) {
            whole.rows(rows.segments[sequence]).copy(from: projected.rows(place))
        }
        return whole
    }
}
