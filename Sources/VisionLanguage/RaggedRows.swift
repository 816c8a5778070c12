import Tensors
import TokenReduction

/// The rows of several sequences one after another, without padding, and where each sequence's rows are.
struct RaggedRows {
    private(set) var tensor: Tensor
    private(set) var segments: [Range<Int>]
    /// Queries, keys and values of these rows in the next layer, side by side, where a reduction looked ahead to it; they
    /// go and stay with their rows.
    var ahead: Tensor?

    /// Sequences of `lengths` rows that fill `tensor`.
    init(_ tensor: Tensor, lengths: [Int]) {
        self.tensor = tensor
        segments = Self.segments(of: lengths)
        precondition(segments.last?.upperBound ?? 0 == tensor.rows, "the sequences do not fill the rows")
    }

    /// Sequences stacked into one tensor of the same type.
    init(stacking sequences: [Tensor]) {
        let rows = sequences.reduce(0) { $0 + $1.rows }
        self.init(Tensor(shape: [rows, sequences[0].width], type: sequences[0].type), lengths: sequences.map(\.rows))
        for (segment, sequence) in zip(segments, sequences) { tensor.rows(segment).copy(from: sequence) }
    }

    /// Keeps the given rows of each sequence, counted from its first.
    mutating func keep(_ kept: [[Int]], backend: any Backend) {
        let rows = zip(segments, kept).flatMap { segment, rows in rows.map { segment.lowerBound + $0 } }
        guard rows.count < tensor.rows || zip(rows, 0...).contains(where: !=) else { return }
        tensor = backend.gather(tensor, rows: rows, as: tensor.type)
        ahead = ahead.map { backend.gather($0, rows: rows, as: $0.type) }
        segments = Self.segments(of: kept.map(\.count))
    }

    /// Lets each sequence's run reduce its rows at `moment` of a layer; returns the rows kept, counted from the first of
    /// all sequences and in their order, or nil where no sequence reduces here.
    mutating func reduce(
        _ runs: inout [ReductionRun], _ place: Place, layer: Int, at moment: Moment, evidence: [Evidence],
        backend: any Backend,
        layout: (_ sequence: Int, _ rows: Int, _ run: ReductionRun) throws -> TokenLayout
    ) throws -> [Int]? {
        guard runs.contains(where: { $0.reduces(place: place, layer: layer, at: moment) }) else { return nil }
        var kept: [[Int]] = []
        for index in runs.indices {
            let segment = segments[index]
            guard runs[index].reduces(place: place, layer: layer, at: moment) else {
                kept.append(Array(0..<segment.count))
                continue
            }
            try kept.append(
                runs[index].reduce(
                    place: place, layer: layer, hidden: tensor.rows(segment), evidence: evidence[index],
                    layout: layout(index, segment.count, runs[index])))
        }
        let all = zip(segments, kept).flatMap { segment, rows in rows.map { segment.lowerBound + $0 } }
        keep(kept, backend: backend)
        return all
    }

    private static func segments(of lengths: [Int]) -> [Range<Int>] {
        var start = 0
        return lengths.map { length in
            defer { start += length }
            return start..<start + length
        }
    }
}
