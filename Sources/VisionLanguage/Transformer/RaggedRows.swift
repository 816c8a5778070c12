internal import JobVocabulary
import Tensors
import TokenReduction

/// The rows of several sequences one after another, without padding, and where each sequence's rows are.
struct RaggedRows {
    private(set) var tensor: Tensor
    private(set) var segments: [Range<Int>]
    /// The next layer's projections of these rows, if a reduction looked ahead; they are dropped and kept with the rows.
    var ahead: LookedAhead?

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

    /// Some of the sequences on their own.
    func only(_ sequences: [Int]) -> RaggedRows {
        sequences.count == segments.count ? self : RaggedRows(stacking: sequences.map { tensor.rows(segments[$0]) })
    }

    /// What a layer projects of all rows: `project` works it out for the sequences it is given, those that did not look ahead.
    mutating func projections(by project: (_ rows: RaggedRows, _ sequences: [Int]) -> Tensor) -> Tensor {
        ahead.take()?.completed(self, by: project) ?? project(self, Array(segments.indices))
    }

    /// Keeps the given rows of each sequence, counted from its first; those of `changed` sequences have taken something in.
    mutating func keep(_ kept: [[Int]], changed: Set<Int> = [], backend: any Backend) {
        ahead = ahead?.keeping(kept, changed: changed, backend: backend)
        let rows = places(of: kept)
        guard rows.count < tensor.rows || zip(rows, 0...).contains(where: !=) else { return }
        tensor = backend.gather(tensor, rows: rows, as: tensor.type)
        segments = Self.segments(of: kept.map(\.count))
    }

    /// Rows of each sequence, counted from its first, as counted from the first of all sequences.
    func places(of rows: [[Int]]) -> [Int] {
        zip(segments, rows).flatMap { segment, rows in rows.map { segment.lowerBound + $0 } }
    }

    /// Lets each sequence's reduction act on its rows, which are what `layouts` say, at `moment` of a layer; returns the rows
    /// that each keeps, counted from its first, or nil if none reduces here.
    mutating func reduce(
        _ reductions: inout [some RowReduction], _ place: ReductionPlace, layer: Int, at moment: Moment,
        evidence: [Evidence],
        layouts: [TokenLayout], backend: any Backend
    ) throws -> [[Int]]? {
        guard reductions.contains(where: { $0.reduces(place: place, layer: layer, at: moment) }) else { return nil }
        var kept: [[Int]] = [], changed: Set<Int> = []
        for index in reductions.indices {
            let segment = segments[index]
            guard reductions[index].reduces(place: place, layer: layer, at: moment) else {
                kept.append(Array(0..<segment.count))
                continue
            }
            let left = try reductions[index].reduce(
                place: place, layer: layer, hidden: tensor.rows(segment), evidence: evidence[index],
                layout: layouts[index])
            if left.count < segment.count, reductions[index].merges(in: place) { changed.insert(index) }
            kept.append(left)
        }
        keep(kept, changed: changed, backend: backend)
        return kept
    }

    /// Where sequences of `lengths` rows are.
    static func segments(of lengths: [Int]) -> [Range<Int>] {
        var start = 0
        return lengths.map { length in
            defer { start += length }
            return start..<start + length
        }
    }
}
