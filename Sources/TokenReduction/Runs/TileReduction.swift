public import JobVocabulary
public import Tensors

/// One tile of a picture on its way through tower and projector: what is left of it, and its history.
///
/// All state between layers lives here, so two tiles cannot see each other. The model asks each layer `needs`, computes that
/// much evidence, calls `reduce` and keeps the rows it is told to.
public struct TileReduction: RowReduction, Sendable {
    /// How many tokens each layer gives up; where a tile settles that itself, from then on.
    public private(set) var plan: ReductionPlan
    /// The tile's patches as the encoder first saw them.
    public let grid: PatchGrid
    private(set) var tokens: SurvivingTokens
    /// The class token's attention in the last layer of the tower, for stages after the projector: to each visual token that
    /// is left.
    private var classAttention: [Double]?

    /// A fresh tile of `grid` patches.
    public init(plan: ReductionPlan, grid: PatchGrid) throws(ReductionError) {
        guard grid.count == plan.model.visualTokens else {
            throw ReductionError(
                .mismatch,
                "the plan is for \(plan.model.visualTokens) visual tokens, the grid of \(grid.rows) x \(grid.columns) "
                    + "has \(grid.count): plan for this grid")
        }
        self.plan = plan
        self.grid = grid
        tokens = SurvivingTokens(count: grid.count)
    }

    /// The original positions of the visual tokens that are left, in the order of the sequence.
    public var positions: [Int] { tokens.positions }
    /// What became of every token so far.
    public var history: ReductionTrace { tokens.history }

    /// What layer `layer` of `place` must offer; empty if nothing looks at it.
    public func needs(place: ReductionPlace, layer: Int) -> EvidenceNeeds {
        var needs = plan.needs(place: place, layer: layer)
        if place == .visionEncoder, layer == plan.model.visionLayers - 1, reduces(place: .projector, layer: 0),
            plan.method.projector?.needs.contains(.observerAttention) == true
        {
            needs.formUnion(.observerAttention)
        }
        return needs
    }

    /// Whether layer `layer` of `place` gives up tokens, or asks whether to; at `moment` only, if one is given.
    public func reduces(place: ReductionPlace, layer: Int, at moment: Moment? = nil) -> Bool {
        plan.reduces(in: place, layer: layer, at: moment)
    }

    /// Whether tokens that stay in `place` take something in of those that go.
    public func merges(in place: ReductionPlace) -> Bool { plan.merges(in: place) }

    /// Keeps what later layers want to know of this one; `evidence` is all that it offered about the rows of `layout`.
    public mutating func remember(_ evidence: Evidence, place: ReductionPlace, layer: Int, layout: TokenLayout) {
        if place == .visionEncoder, layer == plan.model.visionLayers - 1 {
            classAttention = evidence.observer.map { observer in
                layout.visual.runs.flatMap { observer.values(row: 0, columns: $0) }
            }
        }
        tokens.remember(evidence, stages: plan.method.stages(in: place))
    }

    /// What attention in `place` adds to the logits of each visual token's key, log size; nil if that is 0 for all.
    public func keyBias(place: ReductionPlace) -> [Double]? {
        plan.method.stages(in: place)?.proportionalAttention == true ? tokens.keyBias : nil
    }

    /// Reduces the rows of one layer as ``RowReduction`` says; throws if `layout` holds another number of visual tokens than
    /// was planned.
    public mutating func reduce(
        place: ReductionPlace, layer: Int, hidden: Tensor, evidence: Evidence, layout: TokenLayout
    ) throws(ReductionError) -> [Int] {
        try tokens.check(layout, plan, place: place, layer: layer)
        guard reduces(place: place, layer: layer), let stages = plan.method.stages(in: place) else {
            return Array(0..<layout.rows)
        }
        var evidence = evidence
        evidence.earlierAttention = tokens.attentionBefore(rows: layout.rows)
        if place == .projector, let classAttention {
            evidence.observer = layout.scattering(classAttention)
        }
        let kept = try tokens.reduce(
            by: stages, &plan, place: place, layer: layer, grids: TileGrids([grid]), hidden: hidden,
            evidence: evidence, layout: layout)
        if place == .visionEncoder, let attention = classAttention {
            let names = Dictionary(uniqueKeysWithValues: zip(layout.visual, attention))
            classAttention = kept.compactMap { names[$0] }
        }
        return kept
    }

    /// Throws unless exactly the planned number of tokens is left after `place`.
    public func checkDelivered(after place: ReductionPlace) throws(ReductionError) {
        try tokens.checkDelivered(plan, after: place)
    }
}

extension TokenLayout {
    /// One number for each row, (1, rows): those of the visual tokens, 0 elsewhere.
    fileprivate func scattering(_ numbers: [Double]) -> Tensor {
        var row = [Double](repeating: 0, count: rows)
        for (place, number) in zip(visual, numbers) { row[place] = number }
        return Tensor(row, shape: [1, rows])
    }
}
