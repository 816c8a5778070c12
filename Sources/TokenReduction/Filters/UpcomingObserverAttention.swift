public import JobVocabulary

/// Gives up what the observing row will look at least in the next layer: its norm and projections, before it runs.
///
///     sᵢ = − softmax(q_o kᵢᵀ/√d)
///
/// PyramidDrop ranks by the mean over heads in the language model; PruMerge, in the tower, by a softmax over all heads as
/// one, over all rows, the class token's column left out without dividing anew.
///
/// As a ``CountingFilter`` it keeps the tokens that are outliers above: sᵢ beyond the third quartile by more than one and
/// a half times the distance of the quartiles (PruMerge), and one more for the new token made of the rest.
public struct UpcomingObserverAttention: CountingFilter {
    /// Whether all heads count as one of their whole width.
    public let headsAsOne: Bool

    /// Averaged over heads, or with all heads as one.
    public init(headsAsOne: Bool) { self.headsAsOne = headsAsOne }

    /// The next layer's attention.
    public var needs: EvidenceNeeds { headsAsOne ? .upcomingAttentionHeadsAsOne : .upcomingAttention }

    /// The ranking is of all tokens.
    public var offers: CandidateContent { .ranking }

    /// Where there is a layer to come.
    public var places: Set<ReductionPlace> { [.visionEncoder, .languageModel] }

    /// One line for the table of methods.
    public var summary: String {
        "least attention of the class token or last word in the next layer" + (headsAsOne ? ", heads as one" : "")
    }

    /// All tokens, the least attended first.
    public func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates {
        try Candidates(leastWorthFirst: layer.upcomingAttention(headsAsOne: headsAsOne))
    }

    /// The outliers and one new token.
    public func count(in layer: LayerView) throws(ReductionError) -> Int {
        min(try layer.upcomingAttention(headsAsOne: headsAsOne).upperOutliers().count + 1, layer.count)
    }
}

extension LayerView {
    /// For each visual token, how much the observing row will look at it in the next layer.
    func upcomingAttention(headsAsOne: Bool) throws(ReductionError) -> [Double] {
        guard let upcoming = evidence.upcoming else {
            throw ReductionError(
                .missingEvidence,
                "this reduction looks ahead to the next layer's attention, and the layer offers none: there is no next "
                    + "layer, or the reduction happens before this one is through")
        }
        let rows = try headsAsOne ? upcoming.singleHeadAttention() : upcoming.observerAttention()
        return layout.visual.of(rows)
    }
}

extension [Double] {
    /// The indices of the numbers beyond Q₃ + 1.5 (Q₃ − Q₁), quartiles linearly interpolated.
    func upperOutliers() -> [Int] {
        guard !isEmpty else { return [] }
        let first = QuantileShare(epsilon: 0.25).threshold(of: self)
        let third = QuantileShare(epsilon: 0.75).threshold(of: self)
        let fence = third + 1.5 * (third - first)
        return indices.filter { self[$0] > fence }
    }
}
