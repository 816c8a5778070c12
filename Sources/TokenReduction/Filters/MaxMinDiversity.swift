/// DivPrune's filter: keeps tokens that are far from one another, chosen one after the other.
///
///     D = 1 − cos,   next = argmaxᵢ min_{j chosen} Dᵢⱼ                (Alvar et al., CVPR 2025, algorithm 1)
///
/// The first is the token farthest from its nearest neighbour, as in the authors' code: the argmax of the second smallest
/// entry of each column, the smallest being the distance to itself. Of equal distances the earlier token wins. A token's
/// score is its largest cosine with a chosen token, at the moment of choice for those that stay.
public struct MaxMinDiversity: Filter {
    /// The choice has no parameters.
    public init() {}

    /// Nothing but the tokens themselves.
    public var needs: EvidenceNeeds { [] }

    /// One line for the table of methods.
    public var summary: String { "all but a max-min diverse set" }

    /// All but the chosen, the nearest to one of them first.
    public func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates {
        let cosines = try layer.unitStates().allCosines()
        let tokens = 0..<layer.count
        let nearest = tokens.map { token in
            tokens.reduce(-Double.infinity) { $1 == token ? $0 : max($0, cosines[token, $1]) }
        }
        var closeness = [Double](repeating: -.infinity, count: layer.count)
        var (chosen, isChosen) = ([Int](), [Bool](repeating: false, count: layer.count))
        var next = tokens.min { nearest[$0] < nearest[$1] } ?? 0
        for _ in 0..<layer.count - count {
            chosen.append(next)
            isChosen[next] = true
            for token in tokens where !isChosen[token] {
                closeness[token] = max(closeness[token], cosines[next, token])
            }
            next = tokens.lazy.filter { !isChosen[$0] }.min { closeness[$0] < closeness[$1] } ?? next
        }
        // The first was chosen before there was anything to be near to.
        closeness[chosen[0]] = layer.count > 1 ? nearest[chosen[0]] : 0
        return try Candidates(keeping: chosen, scores: closeness)
    }
}
