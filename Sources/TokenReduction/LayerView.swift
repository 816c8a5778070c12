public import Tensors

/// What the three stages see of one layer: which visual tokens are left, where they came from, and the evidence.
///
/// Stages number the visual tokens 0, 1, … N-1 as they stand in the sequence, which is raster order until a method
/// reorders them; row `layout.visual[i]` of the sequence is token `i`.
public struct LayerView: Sendable {
    /// Which rows are visual, class token and text.
    public let layout: TokenLayout
    /// What the layer offers.
    public let evidence: Evidence
    /// The patches of all tiles as the encoder first saw them.
    public let grids: TileGrids
    /// The original position of every visual token, in the order of the sequence.
    public let positions: [Int]
    /// How many original tokens each visual token stands for.
    public let sizes: [Double]
    /// The residual stream, (rows, width), as it is before anything merges.
    public internal(set) var states: Tensor?

    /// A layer in which the visual tokens of `layout` are those that stood at `positions` of one grid.
    ///
    /// Without `sizes` every token stands for itself alone.
    public init(
        layout: TokenLayout, evidence: Evidence, grid: PatchGrid, positions: [Int], sizes: [Double]? = nil
    ) throws(ReductionError) {
        try self.init(
            layout: layout, evidence: evidence, grids: TileGrids([grid]), positions: positions, sizes: sizes)
    }

    /// A layer in which the visual tokens of `layout` are those that stood at `positions` of `grids`.
    ///
    /// Without `sizes` every token stands for itself alone.
    public init(
        layout: TokenLayout, evidence: Evidence, grids: TileGrids, positions: [Int], sizes: [Double]? = nil
    ) throws(ReductionError) {
        try layout.check()
        guard positions.count == layout.visual.count else {
            throw ReductionError(
                .mismatch, "\(layout.visual.count) visual rows but \(positions.count) original positions: give one each"
            )
        }
        guard positions.allSatisfy({ (0..<grids.count).contains($0) }) else {
            throw ReductionError(.mismatch, "a visual token lies outside \(grids.description): correct the grid")
        }
        if let map = evidence.attention, map.queries != layout.rows || map.keys != layout.rows {
            throw ReductionError(
                .mismatch,
                "the attention map is \(map.queries) x \(map.keys), the sequence has \(layout.rows) rows: they must agree"
            )
        }
        let offered = [
            evidence.keys?.rows, evidence.observer?.width, evidence.upcoming?.keys.rows, evidence.wholeKeys?.rows,
            evidence.normalizedStates?.rows,
        ]
        for rows in offered.compactMap(\.self) where rows != layout.rows {
            throw ReductionError(
                .mismatch, "the evidence is about \(rows) rows, the sequence has \(layout.rows): they must agree")
        }
        let sizes = sizes ?? [Double](repeating: 1, count: positions.count)
        guard sizes.count == positions.count else {
            throw ReductionError(
                .mismatch, "\(sizes.count) sizes for \(positions.count) visual tokens: give one each")
        }
        self.sizes = sizes
        self.layout = layout
        self.evidence = evidence
        self.grids = grids
        self.positions = positions
    }

    /// N: how many visual tokens enter the layer.
    public var count: Int { layout.visual.count }

    /// The attention map holding `scores`, or an error that says what the layer offered instead.
    public func attention(_ scores: AttentionScores) throws(ReductionError) -> AttentionMap {
        guard let map = evidence.attention, map.scores == scores else {
            let offered = evidence.attention.map { "attention \($0.scores.rawValue)" } ?? "no attention map"
            throw ReductionError(
                .missingEvidence, "this reduction needs attention \(scores.rawValue), the layer offers \(offered)")
        }
        return map
    }
    /// For each visual token, how much the observing row looks at it: the class token where there is one, else the
    /// sequence's last row. Read off the whole map where that was offered instead.
    public func observerAttention() throws(ReductionError) -> [Double] {
        if let observer = evidence.observer {
            return layout.visual.runs.flatMap { observer.values(row: 0, columns: $0) }
        }
        guard evidence.attention?.scores == .probabilities else {
            throw ReductionError(
                .missingEvidence, "this reduction needs the attention of the class token or of the last row")
        }
        let row = layout.classToken ?? layout.rows - 1
        guard !layout.visual.contains(row) else {
            throw ReductionError(
                .missingEvidence,
                "this reduction ranks visual tokens by the attention of a row that is not visual, and the sequence ends "
                    + "with the picture: say which row is the class token, or use a method that does without")
        }
        return try attention(.probabilities).row(row, columns: layout.visual.runs)
    }

    /// The head-mean keys of the visual tokens, as unit rows.
    public func unitKeys() throws(ReductionError) -> UnitRows {
        guard let keys = evidence.keys, keys.isReadable else {
            throw ReductionError(.missingEvidence, "this reduction needs the keys, averaged over heads")
        }
        return try UnitRows(layout.visual.of(keys))
    }

    /// The visual tokens themselves, as unit rows.
    public func unitStates() throws(ReductionError) -> UnitRows {
        guard let states else {
            throw ReductionError(.missingEvidence, "this reduction compares the tokens themselves: offer their states")
        }
        return try UnitRows(layout.visual.of(states))
    }
}
