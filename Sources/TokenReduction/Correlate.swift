/// The second verb: where the content of a token that goes belongs.
public protocol Correlate: Sendable {
    /// What it must be shown.
    var needs: EvidenceNeeds { get }
    /// One line for the table of methods.
    var summary: String { get }
    /// The `count` tokens that go, and for each of them how its content is shared out among those that stay.
    func correlation(
        of candidates: Candidates, in layer: LayerView, removing count: Int
    ) throws(ReductionError) -> Correlation
}

/// How the content of the tokens that go is shared out: sparse rows source → [(target, weight)].
///
/// A source's weights sum to one; a source without edges is dropped. So pruning, merging and one-to-few recycling are
/// one type.
public struct Correlation: Sendable, Hashable {
    /// One share of a source's content.
    public struct Edge: Sendable, Hashable {
        /// The visual token that takes in the share.
        public let target: Int
        /// The share of the source's content.
        public let weight: Double

        /// A share `weight` for `target`.
        public init(target: Int, weight: Double) {
            self.target = target
            self.weight = weight
        }
    }

    /// The tokens that go, the most redundant first.
    public let sources: [Int]
    /// For each source, who takes in how much of it.
    public let edges: [[Edge]]

    /// The given rows; `edges[i]` belongs to `sources[i]`.
    public init(sources: [Int], edges: [[Edge]]) {
        precondition(sources.count == edges.count, "one row of edges for each source")
        self.sources = sources
        self.edges = edges
    }

    /// Each target with what it takes in: targets ascending, shares in the order of the sources.
    var shares: [(target: Int, shares: [Share])] {
        var received: [Int: [Share]] = [:]
        for (source, row) in zip(sources, edges) {
            for edge in row { received[edge.target, default: []].append(Share(source: source, weight: edge.weight)) }
        }
        return received.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
    }
}

/// What one target takes in from one source.
struct Share: Sendable, Hashable {
    let source: Int
    let weight: Double
}

extension LayerView {
    /// The visual tokens that stay when `sources` go, ascending.
    func survivors(without sources: [Int]) -> [Int] {
        let gone = Set(sources)
        return (0..<count).filter { !gone.contains($0) }
    }
}
