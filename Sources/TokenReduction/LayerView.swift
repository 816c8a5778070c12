import Tensors

/// What the three stages see of one layer: which visual tokens are left, where they came from, and the evidence.
///
/// Stages number the visual tokens 0, 1, … N-1 in raster order, as the papers do; row `layout.image.lowerBound + i` of
/// the sequence is token `i`.
public struct LayerView: Sendable {
    /// Which rows are visual, class token and text.
    public let layout: TokenLayout
    /// What the layer offers.
    public let evidence: Evidence
    /// The picture's patches as the encoder first saw them.
    public let grid: PatchGrid
    /// The original position of every visual token, ascending.
    public let positions: [Int]

    /// A layer in which the visual tokens of `layout` are those that stood at `positions` of `grid`.
    public init(layout: TokenLayout, evidence: Evidence, grid: PatchGrid, positions: [Int]) throws(ReductionError) {
        try layout.check()
        guard positions.count == layout.image.count else {
            throw ReductionError(
                .mismatch, "\(layout.image.count) visual rows but \(positions.count) original positions: give one each")
        }
        guard positions.allSatisfy({ (0..<grid.count).contains($0) }) else {
            throw ReductionError(
                .mismatch, "a visual token lies outside the \(grid.rows) x \(grid.columns) grid: correct the grid")
        }
        if let map = evidence.attention, map.queries != layout.rows || map.keys != layout.rows {
            throw ReductionError(
                .mismatch,
                "the attention map is \(map.queries) x \(map.keys), the sequence has \(layout.rows) rows: they must agree"
            )
        }
        self.layout = layout
        self.evidence = evidence
        self.grid = grid
        self.positions = positions
    }

    /// N: how many visual tokens enter the layer.
    public var count: Int { layout.image.count }

    /// The attention map holding `scores`, or an error that says what the layer offered instead.
    public func attention(_ scores: AttentionScores) throws(ReductionError) -> AttentionMap {
        guard let map = evidence.attention, map.scores == scores else {
            let offered = evidence.attention.map { "attention \($0.scores.rawValue)" } ?? "no attention map"
            throw ReductionError(
                .missingEvidence, "this reduction needs attention \(scores.rawValue), the layer offers \(offered)")
        }
        return map
    }
}
