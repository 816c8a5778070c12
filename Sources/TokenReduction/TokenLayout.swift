public import Tensors

/// Some rows of a sequence, ascending, as runs of neighbours.
public struct RowRuns: Sendable, Hashable, Sequence {
    /// The runs, ascending; none is empty, and no two touch.
    public let runs: [Range<Int>]
    private let rows: [Int]

    /// The rows of `ranges`, which are ascending and do not overlap.
    public init(_ ranges: [Range<Int>]) {
        var runs: [Range<Int>] = []
        for range in ranges where !range.isEmpty {
            if let last = runs.last, last.upperBound == range.lowerBound {
                runs[runs.count - 1] = last.lowerBound..<range.upperBound
            } else {
                runs.append(range)
            }
        }
        self.runs = runs
        rows = runs.flatMap(Array.init)
    }

    /// How many rows there are.
    public var count: Int { rows.count }
    /// Whether there are none.
    public var isEmpty: Bool { rows.isEmpty }
    /// The row that is number `index` among them.
    public subscript(index: Int) -> Int { rows[index] }
    /// Whether a row is among them.
    public func contains(_ row: Int) -> Bool { runs.contains { $0.contains(row) } }
    /// The rows, ascending.
    public func makeIterator() -> IndexingIterator<[Int]> { rows.makeIterator() }

    /// These rows of `tensor`: a view if they are contiguous, else a copy.
    public func of(_ tensor: Tensor) -> Tensor {
        runs.count == 1 ? tensor.rows(runs[0]) : tensor.gathering(rows)
    }

    /// The entries of a sequence's numbers at these rows.
    func of(_ numbers: [Double]) -> [Double] { rows.map { numbers[$0] } }
}

/// What each row of a sequence is: a visual token, the class token, a separator, or text.
///
/// In the encoder row 0 is the class token and the rest are patches. In the decoder pictures stand somewhere in the prompt,
/// and a learned row may end each line of a picture. Only visual tokens can be given up, and only they can take in the
/// content of others.
public struct TokenLayout: Sendable, Hashable {
    /// Rows of the sequence.
    public let rows: Int
    /// The visual tokens still alive, in the order of pictures, tiles and raster.
    public let visual: RowRuns
    /// The row of [CLS], where the model has one.
    public let classToken: Int?
    /// Rows that a model puts between the lines of a picture: neither visual tokens nor text.
    public let separators: RowRuns
    /// Rows that are none of these.
    public let text: [Range<Int>]

    /// A sequence of `rows` rows; checked when a reduction looks at it.
    public init(rows: Int, visual: [Range<Int>], classToken: Int? = nil, separators: [Range<Int>] = []) {
        self.rows = rows
        self.visual = RowRuns(visual)
        self.classToken = classToken
        self.separators = RowRuns(separators)
        var text: [Range<Int>] = [], start = 0
        let others = visual + separators + (classToken.map { [$0..<$0 + 1] } ?? [])
        for taken in others.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if start < taken.lowerBound { text.append(start..<taken.lowerBound) }
            start = Swift.max(start, taken.upperBound)
        }
        if start < rows { text.append(start..<rows) }
        self.text = text
    }

    /// A vision tower's sequence: the class token in row 0, then the patches.
    public static func encoder(visualTokens: Int) -> TokenLayout {
        TokenLayout(rows: visualTokens + 1, visual: [1..<visualTokens + 1], classToken: 0)
    }

    /// The text that may be about the picture: what follows the first visual token.
    public var textBehind: RowRuns {
        let first = visual.runs.first?.lowerBound ?? 0
        return RowRuns(text.filter { $0.lowerBound > first })
    }

    /// What the rows are once only `kept` of them are left, in that order.
    public func keeping(_ kept: [Int]) -> TokenLayout {
        func places(_ rows: RowRuns) -> [Range<Int>] {
            kept.indices.filter { rows.contains(kept[$0]) }.map { $0..<$0 + 1 }
        }
        return TokenLayout(
            rows: kept.count, visual: places(visual), classToken: classToken.flatMap { kept.firstIndex(of: $0) },
            separators: places(separators))
    }

    /// Throws if the parts do not fit into the rows.
    func check() throws(ReductionError) {
        guard visual.runs.first?.lowerBound ?? 0 >= 0, visual.runs.last?.upperBound ?? 0 <= rows else {
            throw ReductionError(
                .mismatch,
                "the image stands at rows \(visual.runs) of a sequence of \(rows): correct the image's place")
        }
        guard let classToken else { return }
        guard (0..<rows).contains(classToken), !visual.contains(classToken) else {
            throw ReductionError(
                .mismatch,
                "row \(classToken) cannot be the class token of \(rows) rows whose image stands at \(visual.runs)")
        }
    }
}
