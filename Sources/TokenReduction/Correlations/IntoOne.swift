/// EViT's correlation: everything that is given up becomes one new token.
///
/// To remove n rows, n + 1 tokens are given up and the new one takes the row of the last of them in the ranking
/// (see ``Correlation/fused``).
public struct IntoOne: Correlate {
    /// There is nothing to choose.
    public init() {}

    /// Nothing of the layer is needed as evidence.
    public var needs: EvidenceNeeds { [] }

    /// A ranking that reaches one token beyond those that go.
    public var wants: CandidateContent { .ranking }

    /// One line for the table of methods.
    public var summary: String { "one new token" }

    /// The first `count` candidates, all to the one after them.
    public func correlation(
        of candidates: Candidates, in layer: LayerView, removing count: Int
    ) throws(ReductionError) -> Correlation {
        let (sources, place) = try candidates.sourcesAndNewToken(count)
        return Correlation(sources: sources, targets: sources.map { _ in place }, fused: [place])
    }
}

extension Candidates {
    /// The first `count` tokens that go, and the one after them, whose row a new token takes.
    func sourcesAndNewToken(_ count: Int) throws(ReductionError) -> (sources: [Int], place: Int) {
        guard sources.count > count else {
            throw ReductionError(
                .unexpectedCount,
                "one token more than the \(count) that go is needed to hold them, and the filter names no more: "
                    + "combine this correlation with a filter that ranks all tokens")
        }
        return (Array(sources.prefix(count)), sources[count])
    }
}
