import Glibc
public import Tensors

/// One image on its way through the layers: what is left of it, and how it got there.
///
/// All state between layers lives here, so two images cannot see each other. The model asks each layer `needs`, computes
/// that much evidence, calls `reduce` and keeps the rows it is told to.
public struct ReductionRun: Sendable {
    /// How many tokens each layer gives up; where a picture settles that itself, from then on.
    public private(set) var plan: ReductionPlan
    /// The picture's patches as the encoder first saw them.
    public let grid: PatchGrid
    /// The original positions of the visual tokens that are left, in the order of the sequence.
    public private(set) var positions: [Int]
    /// How many original tokens each of them stands for: itself and its shares of those that went.
    public private(set) var sizes: [Double]
    private var history: ReductionTrace
    /// Maps of the layers since the last reduction, as far back as a filter asks.
    private var earlierAttention: [AttentionMap] = []
    /// The class token's attention in the last layer of the tower, for stages after the projector.
    private var classAttention: Tensor?
    /// Text rows that speak about the picture, counted from the end of the prompt.
    private var raters: [Int]?

    /// A fresh image of `grid` patches.
    public init(plan: ReductionPlan, grid: PatchGrid) throws(ReductionError) {
        guard grid.count == plan.model.visualTokens else {
            throw ReductionError(
                .mismatch,
                "the plan is for \(plan.model.visualTokens) visual tokens, the grid of \(grid.rows) x \(grid.columns) "
                    + "has \(grid.count): plan for this grid")
        }
        self.plan = plan
        self.grid = grid
        self.positions = Array(0..<grid.count)
        self.sizes = [Double](repeating: 1, count: grid.count)
        self.history = ReductionTrace(tokens: grid.count)
    }

    /// A prompt about no picture, in a model of the given depth: nothing to reduce.
    public init(withoutPictureIn model: ModelDepth) {
        plan = ReductionPlan(withoutPictureIn: model)
        grid = .none
        positions = []
        sizes = []
        history = ReductionTrace(tokens: 0)
    }

    /// What layer `layer` of `place` must offer; empty where nothing looks at it.
    public func needs(place: Place, layer: Int) -> EvidenceNeeds {
        var needs = EvidenceNeeds()
        if let stages = plan.method.stages(in: place) {
            if reduces(place: place, layer: layer) { needs = stages.needs }
            let ahead = stages.filter.layersOfHistory
            if ahead > 0, (layer + 1...layer + ahead).contains(where: { reduces(place: place, layer: $0) }) {
                needs.formUnion(.attentionProbabilities)
            }
        }
        if place == .visionEncoder, layer == plan.model.visionLayers - 1, reduces(place: .projector, layer: 0),
            plan.method.projector?.needs.contains(.observerAttention) == true
        {
            needs.formUnion(.observerAttention)
        }
        return needs
    }

    /// Whether layer `layer` of `place` gives up tokens, or asks whether to; at `moment` only, if one is given.
    public func reduces(place: Place, layer: Int, at moment: Moment? = nil) -> Bool {
        plan.reduces(in: place, layer: layer)
            && (moment == nil || moment == plan.method.stages(in: place)?.schedule.moment)
    }

    /// Whether the language model numbers the rows that are left anew after each reduction.
    public var renumbersRows: Bool {
        plan.reduces(in: .languageModel) && plan.method.decoder?.positions == .renumbered
    }

    /// How far positions have moved down where layer `layer` of the language model begins.
    public func renumbering(before layer: Int) -> Int {
        renumbersRows ? plan.delivered - plan.tokens(entering: layer, of: .languageModel) : 0
    }

    /// Whether `place` wants to see the rows before its first layer.
    public func looksAtEntry(of place: Place) -> Bool {
        plan.reduces(in: place) && plan.method.stages(in: place)?.needs.contains(.raters) == true
    }

    /// The rows of `layout`, (rows, width), are about to enter the language model.
    public mutating func enter(_ states: Tensor, layout: TokenLayout) throws(ReductionError) {
        raters = try RaterAttention.raters(of: states, layout: layout).map { layout.rows - $0 }
    }

    /// Keeps what later layers want to know of this one; `evidence` is all that it offered.
    public mutating func remember(_ evidence: Evidence, place: Place, layer: Int) {
        if place == .visionEncoder, layer == plan.model.visionLayers - 1 { classAttention = evidence.observer }
        let span = plan.method.stages(in: place)?.filter.layersOfHistory ?? 0
        guard span > 0, let map = evidence.attention else { return }
        earlierAttention = Array((earlierAttention + [map]).suffix(span + 1))
    }

    /// The evidence of a layer, and what is known from before it.
    private func complete(_ evidence: Evidence, place: Place, layout: TokenLayout) -> Evidence {
        var evidence = evidence
        // The last of them is the layer's own.
        evidence.earlierAttention = earlierAttention.dropLast().filter { $0.keys == layout.rows }
        evidence.raters = raters.map { $0.map { layout.rows - $0 } }
        if place == .projector, let attention = classAttention, attention.width >= layout.rows {
            // The class token stands first in the tower, and here only where it is handed on.
            let columns = attention.width - layout.rows..<attention.width
            evidence.observer = Tensor(attention.values(row: 0, columns: columns), shape: [1, layout.rows])
        }
        return evidence
    }

    /// What attention in `place` adds to the logits of each visual token's key, log size; nil where that is 0 for all.
    public func keyBias(place: Place) -> [Double]? {
        guard plan.method.stages(in: place)?.proportionalAttention == true, sizes.contains(where: { $0 != 1 }) else {
            return nil
        }
        return sizes.map { log($0) }
    }

    /// Reduces this image's sequence in one layer and returns the rows that stay, in the order in which they go
    /// on.
    ///
    /// `hidden`, (rows, width), is the residual stream at the moment of the schedule; surviving visual rows are written
    /// in place. A layer without removals changes nothing and returns all rows.
    public mutating func reduce(
        place: Place, layer: Int, hidden: Tensor, evidence: Evidence, layout: TokenLayout
    ) throws(ReductionError) -> [Int] {
        let expected = plan.tokens(entering: layer, of: place)
        guard layout.image.count == expected, positions.count == expected else {
            throw ReductionError(
                .unexpectedCount,
                "layer \(layer) of the \(place.rawValue) was to see \(expected) visual tokens, but \(layout.image.count) "
                    + "came and \(positions.count) are left: a reducing layer was left out or its rows were not dropped"
            )
        }
        guard reduces(place: place, layer: layer), let stages = plan.method.stages(in: place) else {
            return Array(0..<layout.rows)
        }

        let clock = ContinuousClock()
        let start = clock.now
        let view = try LayerView(
            layout: layout, evidence: complete(evidence, place: place, layout: layout), grid: grid,
            positions: positions, sizes: sizes)
        if plan.settles(in: place, layer: layer), let filter = stages.filter as? any CountingFilter {
            plan = try plan.settled(at: filter.count(in: view))
        }
        let removal = plan.removal(in: place, layer: layer)
        guard removal > 0 else { return Array(0..<layout.rows) }
        let step = try stages.reduce(view, hidden: hidden, removing: removal)
        earlierAttention = []
        let first = layout.image.lowerBound
        history.record(
            step, place: place, layer: layer, positions: positions, firstRow: first,
            seconds: (clock.now - start) / .seconds(1))
        let kept = step.kept.filter(layout.image.contains).map { $0 - first }
        let entered = sizes
        for merge in step.merges { sizes[merge.target - first] += merge.weight * entered[merge.source - first] }
        positions = kept.map { positions[$0] }
        sizes = kept.map { sizes[$0] }
        return step.kept
    }

    /// Throws unless exactly the planned number of tokens is left after `place`.
    public func checkDelivered(after place: Place) throws(ReductionError) {
        let expected = plan.tokens(entering: plan.removals(in: place).count, of: place)
        guard positions.count == expected else {
            throw ReductionError(
                .unexpectedCount,
                "\(expected) visual tokens were to leave the \(place.rawValue), \(positions.count) are left: "
                    + "a reducing layer was left out")
        }
    }

    /// What became of every token; throws unless exactly the planned number is left.
    public func trace() throws(ReductionError) -> ReductionTrace {
        try checkDelivered(after: .languageModel)
        return history
    }
}
