public import Tensors

/// A reduction in one sentence: filter, correlate, compress; and in which layers.
///
/// It acts on the residual stream. The schedule says where: usually after the attention of a layer has been added and
/// before the layer's second norm and MLP, so that attention runs on N tokens and the MLP on what is left; or after the
/// whole layer.
public struct Stages: Sendable {
    /// Which visual tokens to give up.
    public let filter: any Filter
    /// Where their content belongs.
    public let correlate: any Correlate
    /// How it gets there.
    public let compress: any Compress
    /// In which layers, and how many in each.
    public let schedule: Schedule
    /// In which order the tokens that stay go on.
    public let order: TokenOrder
    /// Whether attention counts a token as often as it stands for others: softmax(qk/√d + log size), ToMe's
    /// proportional attention, in every layer of the place.
    public let proportionalAttention: Bool
    /// In the language model, which position ids the rows that are left have.
    public let positions: PositionPolicy
    /// Whether the filter, which is a ``CountingFilter``, says how many stay; the budget is then the most that do.
    public let isAdaptive: Bool

    /// The given triple, working in the layers of `schedule`.
    public init(
        filter: any Filter, correlate: any Correlate, compress: any Compress, schedule: Schedule,
        order: TokenOrder = .sequence, proportionalAttention: Bool = false, positions: PositionPolicy = .original,
        isAdaptive: Bool = false
    ) {
        precondition(!isAdaptive || filter is any CountingFilter, "only a filter that counts can settle a count")
        self.filter = filter
        self.correlate = correlate
        self.compress = compress
        self.schedule = schedule
        self.order = order
        self.proportionalAttention = proportionalAttention
        self.positions = positions
        self.isAdaptive = isAdaptive
    }

    /// What a reducing layer must offer.
    public var needs: EvidenceNeeds { filter.needs.union(correlate.needs).union(compress.needs) }

    /// Gives up `count` visual tokens of one sequence.
    ///
    /// `hidden`, (rows, width) in float32 or float64, is written in place: surviving visual rows take in content, all
    /// other rows stay as they are. The caller then keeps the rows that `ReductionStep.kept` names.
    public func reduce(
        _ layer: LayerView, hidden: Tensor, removing count: Int
    ) throws(ReductionError) -> ReductionStep {
        guard hidden.shape.count == 2, hidden.rows == layer.layout.rows, hidden.isReadable else {
            throw ReductionError(
                .mismatch,
                "hidden states must be (\(layer.layout.rows), width) in float32 or float64, not \(hidden.shape) "
                    + hidden.type.rawValue)
        }
        guard count >= 0, count == 0 || count < layer.count else {
            throw ReductionError(
                .badBudget, "cannot remove \(count) of \(layer.count) visual tokens: at least one must stay")
        }
        let most = filter.mostRemovable(of: layer.count)
        guard count <= max(most, 0) else {
            throw ReductionError(
                .badBudget,
                "\(filter.summary) can give up \(most) of \(layer.count) visual tokens at once, not \(count): "
                    + "keep more, or reduce in more layers")
        }
        guard count > 0 else {
            return ReductionStep(
                scores: [Double](repeating: 0, count: layer.count), correlation: Correlation(sources: [], edges: []),
                layout: layer.layout)
        }
        var layer = layer
        layer.states = hidden
        let candidates = try filter.candidates(in: layer, removing: count)
        let correlation = try correlate.correlation(of: candidates, in: layer, removing: count)
        guard Set(correlation.sources).count == count, correlation.sources.count == count else {
            throw ReductionError(
                .unexpectedCount, "\(correlation.sources.count) visual tokens were chosen to go instead of \(count)")
        }
        let kept = order.arrange(
            layer.survivors(without: correlation.sources), candidates: candidates, fused: correlation.fused,
            layout: layer.layout)
        let visual = layer.layout.visual, rows = visual.of(hidden)
        try compress.merge(correlation, in: layer, into: rows)
        if visual.runs.count > 1 {
            for (token, row) in visual.enumerated() {
                hidden.rows(row..<row + 1).copy(from: rows.rows(token..<token + 1))
            }
        }
        return ReductionStep(
            scores: candidates.scores, correlation: correlation, layout: layer.layout, kept: kept)
    }
}

/// What one reduction did to one sequence; tokens are named by their row in the sequence that entered.
public struct ReductionStep: Sendable, Hashable {
    /// One edge of the correlation: `weight` of the content of `source` went to `target`.
    public struct Merge: Sendable, Hashable {
        /// A row that goes.
        public let source: Int
        /// A visual row that stays.
        public let target: Int
        /// The share of the source's content.
        public let weight: Double
    }

    /// One score for each visual token that entered, in the order of the sequence; larger goes first.
    public let scores: [Double]
    /// All rows that stay, class token and text included, in the order in which they go on.
    public let kept: [Int]
    /// The rows that go, the most redundant first.
    public let pruned: [Int]
    /// Every edge, sources in the order of `pruned`, targets ascending.
    public let merges: [Merge]

    /// `kept` are the visual tokens that stay, in their order; all of them in theirs where it is left out.
    init(scores: [Double], correlation: Correlation, layout: TokenLayout, kept: [Int]? = nil) {
        let visual = layout.visual
        self.scores = scores
        // Tokens that change their order do so among the places of those that stay.
        let goes = Set(correlation.sources)
        var order = (kept ?? Array(0..<visual.count)).map { visual[$0] }[...]
        var rows = Array(0..<layout.rows)
        for token in 0..<visual.count { rows[visual[token]] = goes.contains(token) ? -1 : order.removeFirst() }
        self.kept = rows.filter { $0 >= 0 }
        self.pruned = correlation.sources.map { visual[$0] }
        self.merges = zip(correlation.sources, correlation.edges).flatMap { source, row in
            row.map { Merge(source: visual[source], target: visual[$0.target], weight: $0.weight) }
        }
    }
}
