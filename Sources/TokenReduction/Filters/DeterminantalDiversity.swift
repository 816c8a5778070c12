public import JobVocabulary

/// CDPruner's filter: keeps the tokens whose kernel of cosines, weighed by their relevance, has the largest determinant.
///
///     K = rᵢ·cos(xᵢ, xⱼ)·rⱼ,   next = argmaxᵢ det K(chosen ∪ i) / det K(chosen)  (Zhang et al., arXiv:2506.10967)
///
/// the greedy maximum of a determinantal point process, by an incremental Cholesky factor (Chen, Zhang and Zhou 2018).
/// Relevance r factors out of it: with L the cosines, dᵢ² starts at Lᵢᵢ = 1; with j chosen, eᵢ = (Lⱼᵢ − cⱼ·cᵢ) / dⱼ is
/// appended to cᵢ and dᵢ² loses eᵢ²; next is the largest rᵢ²dᵢ². Of equal tokens the earlier wins, so without relevance
/// (r = 1) the first is token 0. A token in the span of the chosen (dᵢ² < 10⁻⁶) adds nothing to the determinant; once all
/// are, the earliest follow.
///
/// A token's score is 1 − rᵢ²dᵢ² with the largest r as 1: what the chosen already say of it and what the question does not
/// ask, at the moment of choice for those that stay.
public struct DeterminantalDiversity: Filter {
    /// What the kernel is weighed by.
    public let relevance: QuestionRelevance

    /// A choice among tokens of this relevance.
    public init(relevance: QuestionRelevance) { self.relevance = relevance }

    /// Reads `relevance`; default: every token is as relevant as another.
    init(reading options: inout MethodOptions) throws(ReductionError) {
        try self.init(relevance: options.choice("relevance", default: .none))
    }

    /// The tokens themselves, and their relevance where it counts.
    public var needs: EvidenceNeeds { relevance == .none ? [] : .questionRelevance }

    /// Relevance is known behind the projector only.
    public var places: Set<ReductionPlace> { relevance == .none ? Set(ReductionPlace.allCases) : [.projector] }

    /// One line for the table of methods.
    public var summary: String {
        "all but the set of largest determinant" + (relevance == .none ? "" : ", weighed by the question")
    }

    /// All but the chosen, what they already say most of first.
    public func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates {
        let kernel = try layer.unitStates().allCosines()
        let (tokens, keep) = (0..<layer.count, layer.count - count)
        let weights = try relevance.weights(in: layer).map { $0 * $0 }
        var rest = [Double](repeating: 1, count: layer.count)
        var factors: [[Double]] = []
        var (chosen, isChosen) = ([Int](), [Bool](repeating: false, count: layer.count))
        while chosen.count < keep {
            let new = tokens.filter { !isChosen[$0] && rest[$0] >= 1e-6 }
            guard var next = new.first else {
                chosen += tokens.filter { !isChosen[$0] }.prefix(keep - chosen.count)
                break
            }
            for token in new where weights[token] * rest[token] > weights[next] * rest[next] { next = token }
            chosen.append(next)
            isChosen[next] = true
            let scale = 1 / rest[next].squareRoot()
            var row = kernel.row(next)
            for factor in factors where factor[next] != 0 {
                let weight = factor[next]
                for token in tokens { row[token] -= weight * factor[token] }
            }
            for token in tokens {
                row[token] *= scale
                if !isChosen[token] { rest[token] -= row[token] * row[token] }
            }
            factors.append(row)
        }
        return try Candidates(keeping: chosen, scores: zip(weights, rest).map { 1 - $0 * $1 })
    }
}
