/// CDPruner's filter without the question: keeps the tokens whose kernel of cosines has the largest determinant.
///
///     L = cos(xᵢ, xⱼ),   next = argmaxᵢ det L(chosen ∪ i) / det L(chosen)        (Zhang et al., NeurIPS 2025, section 3)
///
/// the greedy maximum of a determinantal point process, by an incremental Cholesky factor (Chen, Zhang and Zhou 2018):
/// dᵢ² starts at Lᵢᵢ; with j chosen, eᵢ = (Lⱼᵢ − cⱼ·cᵢ) / dⱼ is appended to cᵢ and dᵢ² loses eᵢ². Of equal tokens the
/// earlier wins, so the first is token 0: without relevance all Lᵢᵢ are 1. Once what is left lies in the span of the
/// chosen (dᵢ² < 10⁻⁶) the determinant says nothing more, and the earliest tokens follow.
///
/// A token's score is 1 − dᵢ², the part of it that the chosen already say, at the moment of choice for those that stay.
public struct DeterminantalDiversity: Filter {
    /// The choice has no parameters.
    public init() {}

    /// Nothing but the tokens themselves.
    public var needs: EvidenceNeeds { [] }

    /// One line for the table of methods.
    public var summary: String { "all but the set of largest determinant" }

    /// All but the chosen, what they already say most of first.
    public func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates {
        let kernel = try layer.unitStates().allCosines()
        let (tokens, keep) = (0..<layer.count, layer.count - count)
        var rest = [Double](repeating: 1, count: layer.count)
        var factors: [[Double]] = []
        var (chosen, isChosen) = ([Int](), [Bool](repeating: false, count: layer.count))
        while chosen.count < keep {
            let open = tokens.filter { !isChosen[$0] }
            guard var next = open.first else { break }
            for token in open where rest[token] > rest[next] { next = token }
            guard rest[next] >= 1e-6 else {
                chosen += open.prefix(keep - chosen.count)
                break
            }
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
        return try Candidates(keeping: chosen, scores: rest.map { 1 - $0 })
    }
}
