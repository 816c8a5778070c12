extension EvidenceNeeds {
    /// How much CLIP likens each visual token to the question; known between projector and language model.
    public static let questionRelevance = EvidenceNeeds(rawValue: 1 << 12)
}

/// What tokens are weighed by when a method reads the question.
public enum QuestionRelevance: String, Sendable, Hashable, CaseIterable {
    /// Nothing: all tokens count the same.
    case none
    /// As in the code of CDPruner's authors: the tokens that CLIP finds least like the question count most.
    case question
    /// As the paper puts it: the tokens that are most like the question count most.
    case positive = "question-positive"

    /// One weight from 0 to 1 for each visual token of `layer`.
    ///
    ///     rᵢ = ∓cosᵢ,   relevance = (r − min r + 10⁻⁶) / (max r − min r)
    ///
    /// Zhang et al., arXiv:2506.10967, as shares of the greatest relevance, for only ratios count. Least and
    /// greatest are those of one picture, where the authors' code takes a batch, so that pictures do not depend on one
    /// another. Where all tokens are alike, all count 1.
    func weights(in layer: LayerView) throws(ReductionError) -> [Double] {
        guard self != .none else { return [Double](repeating: 1, count: layer.count) }
        guard let cosines = layer.evidence.relevance else {
            throw ReductionError(
                .missingEvidence,
                "this reduction weighs visual tokens by their relevance to the question, which is not offered here: set "
                    + "relevance=none")
        }
        guard cosines.count == layer.count else {
            throw ReductionError(
                .mismatch, "\(cosines.count) likenesses to the question for \(layer.count) visual tokens: give one each"
            )
        }
        guard cosines.allSatisfy(\.isFinite) else {
            throw ReductionError(
                .notFinite, "the likeness of picture and question is not a finite number: are the weights damaged?")
        }
        let signed = self == .question ? cosines.map { -$0 } : cosines
        guard let least = signed.min(), let greatest = signed.max(), greatest > least else {
            return signed.map { _ in 1 }
        }
        return signed.map { ($0 - least + 1e-6) / (greatest - least + 1e-6) }
    }
}

extension ReductionPlan {
    /// Whether what is given up depends on the question, so that two questions about one picture share nothing.
    public var readsQuestion: Bool {
        method.places.contains { place in
            reduces(in: place) && method.stages(in: place)?.needs.contains(.questionRelevance) == true
        }
    }
}
