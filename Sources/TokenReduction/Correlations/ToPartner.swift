/// What goes belongs to the partner that the filter found for it: ToMe's match, the middle of a cell.
public struct ToPartner: Correlate {
    /// The partners are the filter's.
    public init() {}

    /// No evidence: the filter has found the partners.
    public var needs: EvidenceNeeds { [] }

    /// A partner for each token.
    public var wants: CandidateContent { .partners }

    /// One line for the table of methods.
    public var summary: String { "the filter's partner" }

    /// The first `count` candidates, each to its partner.
    public func correlation(
        of candidates: Candidates, in layer: LayerView, removing count: Int
    ) throws(ReductionError) -> Correlation {
        guard let partners = candidates.partners else {
            throw ReductionError(
                .missingEvidence,
                "this correlation sends tokens to the partners that the filter found, and this filter looks for none: "
                    + "combine it with bipartite matching or cells")
        }
        let sources = Array(candidates.sources.prefix(count))
        return Correlation(sources: sources, targets: sources.map { partners[$0] })
    }
}
