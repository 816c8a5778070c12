/// FiCoCo-V's correlation: a token's content belongs to the tokens it attends to most.
///
///     Cᵢⱼ = Aᵢⱼ,  i among those that go, j among those that stay        (Han et al., arXiv:2411.17686v4, section 3.2)
///
/// Only surviving visual tokens are columns. In the authors' code the row also holds the token itself, the class token
/// and the others that go, and the chosen columns are applied to a re-ordered list, so that content lands on other
/// tokens than the equation says.
public struct DirectAttention: Correlate {
    /// The kind of map the correlations are read off.
    public let scores: AttentionScores
    /// Which correlations count.
    public let share: QuantileShare

    /// Attention of the given kind, shared out above the quantile.
    public init(scores: AttentionScores, above share: QuantileShare) {
        self.scores = scores
        self.share = share
    }

    /// An attention map of the chosen kind.
    public var needs: EvidenceNeeds { scores.needs }

    /// One line for the table of methods.
    public var summary: String { "attention \(scores.rawValue) \(share.summary)" }

    /// Each source's row of attention to the survivors, shared out above its quantile.
    public func correlation(
        of candidates: Candidates, in layer: LayerView, removing count: Int
    ) throws(ReductionError) -> Correlation {
        let attention = try layer.attention(scores)
        let visual = layer.layout.visual
        let sources = Array(candidates.sources.prefix(count))
        let targets = layer.survivors(without: sources)
        let edges = try sources.map { source throws(ReductionError) in
            let row = attention.row(visual[source], columns: visual.runs)
            return try share.edges(of: targets.map { row[$0] }, to: targets)
        }
        return Correlation(sources: sources, edges: edges)
    }
}
