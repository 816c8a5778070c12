/// ToMe's filter: every other row looks for its nearest among the rows between, and the closest pairs lose their first.
///
///     sᵢ = max_j cos(kᵢ, kⱼ),   i at even rows of the sequence, j at odd rows      (Bolya et al., ICLR 2023, section 3)
///
/// k are the keys averaged over heads. The class token stands in row 0 and is never a source. At most half of the tokens
/// can go in one step. A token at an odd row has score -1: it cannot go.
public struct BipartiteMatch: Filter {
    /// The match has no parameters.
    public init() {}

    /// The keys.
    public var needs: EvidenceNeeds { .keys }

    /// A token's partner is its nearest.
    public var offers: CandidateContent { .partners }

    /// One line for the table of methods.
    public var summary: String { "bipartite matching of keys" }

    /// Half of the tokens, rounded down.
    public func mostRemovable(of tokens: Int) -> Int { tokens / 2 }

    /// The even rows with their best partners, the closest pairs first.
    public func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates {
        let visual = layer.layout.visual
        let even = (0..<layer.count).filter { visual[$0].isMultiple(of: 2) }
        let odd = (0..<layer.count).filter { !visual[$0].isMultiple(of: 2) }
        let cosines = try layer.unitKeys().cosines(even, odd)
        var scores = [Double](repeating: -1, count: layer.count)
        var partners = Array(0..<layer.count)
        for (row, token) in even.enumerated() {
            guard let place = cosines.columnOfLargest(of: row) else { continue }
            scores[token] = cosines[row, place]
            partners[token] = odd[place]
        }
        let ranked = even.sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] > scores[$1] }
        return Candidates(scores: scores, sources: ranked, partners: partners)
    }
}
