public import JobVocabulary

/// What a filter's verdict holds beside the tokens that go; correlations ask for it.
public struct CandidateContent: OptionSet, Sendable, Hashable {
    /// One bit for each kind.
    public let rawValue: UInt8

    /// The kinds whose bits are set.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// A ranking of all tokens, not only of those that go.
    public static let ranking = CandidateContent(rawValue: 1 << 0)
    /// A partner for each token.
    public static let partners = CandidateContent(rawValue: 1 << 1)
}

extension Stages {
    /// Throws if the stages do not fit together or cannot work in `place`, and says who offers what is missing.
    public func check(in place: ReductionPlace) throws(ReductionError) {
        func refuse(_ reason: String) throws(ReductionError) { throw ReductionError(.illegalCombination, reason) }
        for (stage, places) in [(filter.summary, filter.places), (correlate.summary, correlate.places)]
        where !places.contains(place) {
            let others = ReductionPlace.allCases.filter(places.contains).map(\.rawValue).joined(separator: " or ")
            try refuse("\"\(stage)\" works in the \(others), not in the \(place.rawValue): choose that place")
        }
        if place == .projector, !needs.isSubset(of: [.observerAttention, .questionRelevance]) {
            try refuse(
                "the projector offers the tokens, the class token's last attention and the relevance to the question, and "
                    + "these stages need other attention or keys: choose the place encoder or decoder, or a filter that compares tokens"
            )
        }
        if schedule.moment == .afterAttention, needs.looksAhead || needs.contains(.normalizedStates) {
            try refuse(
                "these stages look at what a whole layer leaves, and the schedule reduces in the middle of it: choose the "
                    + "schedule after-last or before:K")
        }
        if positions == .renumbered, place != .languageModel {
            try refuse("only the language model numbers its rows: leave out positions=renumbered")
        }
        if needs.isSuperset(of: [.attentionProbabilities, .attentionLogits]) {
            try refuse(
                "filter and correlation want attention before and after the softmax, and a layer offers one of them: "
                    + "give both the same scores")
        }
        if needs.contains(.observerAttention), needs.contains(.attentionLogits) {
            try refuse(
                "the attention of one row and a map of logits are not offered together: use scores=probabilities")
        }
        if !filter.offers.isSuperset(of: correlate.wants) {
            let missing =
                correlate.wants.contains(.partners)
                ? "a partner for each token, which bipartite-match and even-cells find"
                : "a ranking of all tokens, which observer-attention and random make"
            try refuse(
                "\"\(correlate.summary)\" needs \(missing), and \"\(filter.summary)\" does not: choose another filter")
        }
        if correlate.namesTargets, !compress.merges {
            try refuse(
                "the correlation \"\(correlate.summary)\" names targets for dropped tokens, and the compressor none would "
                    + "ignore them: choose a compressor that merges, or the correlation none")
        }
        if !correlate.namesTargets, compress.merges {
            try refuse(
                "the compressor \"\(compress.summary)\" has nothing to merge, as the correlation is none: choose a "
                    + "correlation that names targets, or the compressor none")
        }
        if proportionalAttention, place != .visionEncoder {
            try refuse("attention counts sizes in the vision tower only: use attention=plain")
        }
    }
}
