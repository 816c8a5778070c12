/// Pruning's correlation: tokens that go are dropped, without targets.
public struct NoTarget: Correlate {
    /// Dropping has no parameters.
    public init() {}

    /// Nothing of the layer is needed as evidence.
    public var needs: EvidenceNeeds { [] }

    /// Tokens that go have no targets.
    public var namesTargets: Bool { false }

    /// One line for the table of methods.
    public var summary: String { "none" }

    /// The first `count` candidates, without edges.
    public func correlation(
        of candidates: Candidates, in layer: LayerView, removing count: Int
    ) throws(ReductionError) -> Correlation {
        let sources = Array(candidates.sources.prefix(count))
        return Correlation(sources: sources, targets: sources.map { _ in nil })
    }
}
