public import JobVocabulary
public import Tensors

/// One prompt on its way through the language model: what is left of the visual tokens of all its pictures, and how it came
/// to that.
///
/// Tokens are numbered through pictures, tiles and rasters, from the tower on. A prompt without pictures has none, and
/// nothing is reduced.
public struct SequenceReduction: RowReduction, Sendable {
    /// How many tokens each layer gives up, of all tiles together.
    public private(set) var plan: ReductionPlan
    /// The tiles' patches as the encoder first saw them.
    public let grids: TileGrids
    private var tokens: SurvivingTokens
    /// Text rows that speak about the pictures, by where they stand among the rows that are left.
    private var raters: [Int]?

    /// The tokens that tower and projector left of `tiles`, to be reduced as `plan` says for each of them: its budget counts
    /// once a tile, and no more than there are.
    ///
    /// - Parameter entering: The tokens that enter the language model, in the order of the sequence; the others are left out.
    ///   nil: all that are left, tile after tile.
    public init(
        _ tiles: [TileReduction], plan: ReductionPlan, entering: [Int]? = nil
    ) throws(ReductionError) {
        grids = try TileGrids(tiles.map(\.grid))
        tokens = SurvivingTokens(joining: tiles.map(\.tokens))
        let left = tokens.positions.count
        if let entering { tokens.leaveOut(allBut: entering) }
        self.plan = try ReductionPlan(
            joining: tiles.map(\.plan), of: plan, leavingOut: left - tokens.positions.count)
    }

    /// The original positions of the visual tokens that are left, in the order of the sequence.
    public var positions: [Int] { tokens.positions }

    /// What layer `layer` must offer; empty if nothing looks at it.
    public func needs(layer: Int) -> EvidenceNeeds { plan.needs(place: .languageModel, layer: layer) }

    /// Whether layer `layer` drops tokens, or decides whether to.
    public func reduces(layer: Int) -> Bool { reduces(place: .languageModel, layer: layer, at: nil) }

    /// Whether layer `layer` of `place`, which is the language model, gives up tokens; at `moment` only, if one is given.
    public func reduces(place: ReductionPlace, layer: Int, at moment: Moment?) -> Bool {
        plan.reduces(in: place, layer: layer, at: moment)
    }

    /// Whether tokens that stay in the language model take something in of those that go.
    public func merges(in place: ReductionPlace) -> Bool { plan.merges(in: place) }

    /// Whether the rows that are left are numbered anew after each reduction.
    public var renumbersRows: Bool {
        plan.reduces(in: .languageModel) && plan.method.decoder?.positions == .renumbered
    }

    /// How far positions have moved down where layer `layer` begins.
    public func renumbering(before layer: Int) -> Int {
        renumbersRows ? plan.delivered - plan.tokens(entering: layer, of: .languageModel) : 0
    }

    /// Whether the rows are to be seen before the first layer.
    public var looksAtEntry: Bool {
        plan.reduces(in: .languageModel) && plan.method.decoder?.needs.contains(.raters) == true
    }

    /// The rows of `layout`, (rows, width), are about to enter the language model.
    public mutating func enter(_ states: Tensor, layout: TokenLayout) throws(ReductionError) {
        raters = try RaterAttention.raters(of: states, layout: layout)
    }

    /// Keeps this layer's evidence that later layers need; `evidence` is all that it offered.
    public mutating func remember(_ evidence: Evidence, layer: Int) {
        tokens.remember(evidence, stages: plan.method.decoder)
    }

    /// Reduces the rows of one layer as ``RowReduction`` says; throws if `layout` holds another number of visual tokens than
    /// was planned.
    public mutating func reduce(
        place: ReductionPlace = .languageModel, layer: Int, hidden: Tensor, evidence: Evidence, layout: TokenLayout
    ) throws(ReductionError) -> [Int] {
        try tokens.check(layout, plan, place: place, layer: layer)
        guard reduces(layer: layer), let stages = plan.method.decoder else { return Array(0..<layout.rows) }
        var evidence = evidence
        evidence.earlierAttention = tokens.attentionBefore(rows: layout.rows)
        evidence.raters = raters
        let kept = try tokens.reduce(
            by: stages, &plan, place: place, layer: layer, grids: grids, hidden: hidden, evidence: evidence,
            layout: layout)
        if let raters {
            let rating = Set(raters)
            self.raters = kept.indices.filter { rating.contains(kept[$0]) }
        }
        return kept
    }

    /// Throws unless exactly the planned number of tokens is left.
    public func checkDelivered() throws(ReductionError) { try tokens.checkDelivered(plan, after: .languageModel) }

    /// What became of every token; throws unless exactly the planned number is left.
    public func trace() throws(ReductionError) -> ReductionTrace {
        try checkDelivered()
        return tokens.history
    }
}
