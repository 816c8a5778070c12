public import Tensors

/// A reduction in one sentence: filter, correlate, compress; and in which layers.
///
/// It acts on the residual stream after the attention of a layer has been added and before the layer's second norm and
/// MLP, so that attention runs on N tokens and the MLP on what is left (the papers do not say; the authors' code does).
public struct Stages: Sendable {
    /// Which visual tokens to give up.
    public let filter: any Filter
    /// Where their content belongs.
    public let correlate: any Correlate
    /// How it gets there.
    public let compress: any Compress
    /// In which layers, and how many in each.
    public let schedule: Schedule

    /// The given triple, working in the layers of `schedule`.
    public init(filter: any Filter, correlate: any Correlate, compress: any Compress, schedule: Schedule) {
        self.filter = filter
        self.correlate = correlate
        self.compress = compress
        self.schedule = schedule
    }

    /// What a reducing layer must offer.
    public var needs: EvidenceNeeds { filter.needs.union(correlate.needs) }

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
        let candidates = try filter.candidates(in: layer, removing: count)
        let correlation = try correlate.correlation(of: candidates, in: layer, removing: count)
        guard Set(correlation.sources).count == count, correlation.sources.count == count else {
            throw ReductionError(
                .unexpectedCount, "\(correlation.sources.count) visual tokens were chosen to go instead of \(count)")
        }
        try compress.merge(correlation, into: hidden.rows(layer.layout.image))
        return ReductionStep(scores: candidates.scores, correlation: correlation, layout: layer.layout)
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

    /// One score for each visual token that entered, in raster order; larger goes first.
    public let scores: [Double]
    /// All rows that stay, class token and text included, ascending.
    public let kept: [Int]
    /// The rows that go, the most redundant first.
    public let pruned: [Int]
    /// Every edge, sources in the order of `pruned`, targets ascending.
    public let merges: [Merge]

    init(scores: [Double], correlation: Correlation, layout: TokenLayout) {
        let first = layout.image.lowerBound
        let gone = Set(correlation.sources)
        self.scores = scores
        self.kept = (0..<layout.rows).filter { !layout.image.contains($0) || !gone.contains($0 - first) }
        self.pruned = correlation.sources.map { $0 + first }
        self.merges = zip(correlation.sources, correlation.edges).flatMap { source, row in
            row.map { Merge(source: source + first, target: $0.target + first, weight: $0.weight) }
        }
    }
}
