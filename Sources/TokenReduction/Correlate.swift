public import JobVocabulary

/// The second verb: where the content of a token that goes belongs.
public protocol Correlate: Sendable {
    /// The evidence that a layer must offer.
    var needs: EvidenceNeeds { get }
    /// One line for the table of methods.
    var summary: String { get }
    /// The places where the correlation can work.
    var places: Set<ReductionPlace> { get }
    /// What it asks of the filter beside the tokens that go.
    var wants: CandidateContent { get }
    /// Whether the correlation names targets for the tokens that go.
    var namesTargets: Bool { get }
    /// The `count` tokens that go, and for each of them how its content is shared out among those that stay.
    func correlation(
        of candidates: Candidates, in layer: LayerView, removing count: Int
    ) throws(ReductionError) -> Correlation
}

extension Correlate {
    /// Default: a correlation can stand in every place.
    public var places: Set<ReductionPlace> { Set(ReductionPlace.allCases) }
    /// Default: only the tokens that go.
    public var wants: CandidateContent { [] }
    /// Default: it names targets.
    public var namesTargets: Bool { true }
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
    /// For each source, its targets and their shares.
    public let edges: [[Edge]]
    /// What targets take in from tokens that stay: that content is copied, not moved, so these are no edges.
    public let copies: [Int: [Share]]
    /// Survivors that stay only as the place where a new token is made, in the order in which they are named.
    ///
    /// Papers that append a new token give it a row of its own. Here it takes the row, and the original position, of one
    /// of the tokens it is made of. So every row of every step can be traced to a
    /// patch, and the number of tokens that go is the number of rows that go.
    public let fused: [Int]

    /// The given rows; `edges[i]` belongs to `sources[i]`.
    public init(sources: [Int], edges: [[Edge]], fused: [Int] = [], copies: [Int: [Share]] = [:]) {
        precondition(sources.count == edges.count, "one row of edges for each source")
        self.sources = sources
        self.edges = edges
        self.fused = fused
        self.copies = copies
    }

    /// Every source with one target, or with none if that is nil.
    public init(sources: [Int], targets: [Int?], fused: [Int] = []) {
        self.init(sources: sources, edges: targets.map { $0.map { [Edge(target: $0, weight: 1)] } ?? [] }, fused: fused)
    }

    /// What each target takes in: targets ascending; what moves in the order of the sources, then the copies.
    var intakes: [Intake] {
        var received: [Int: [Share]] = [:]
        for (source, row) in zip(sources, edges) {
            for edge in row { received[edge.target, default: []].append(Share(source: source, weight: edge.weight)) }
        }
        received.merge(copies, uniquingKeysWith: +)
        return received.sorted { $0.key < $1.key }.map { target, shares in
            Intake(target: target, shares: shares, isNew: fused.contains(target))
        }
    }
}

/// Everything that one target takes in.
public struct Intake: Sendable, Hashable {
    /// The visual token that takes it in.
    public let target: Int
    /// What it takes in.
    public let shares: [Share]
    /// Whether the target is but the place of a new token.
    public let isNew: Bool

    /// What `target` takes in.
    public init(target: Int, shares: [Share], isNew: Bool = false) {
        self.target = target
        self.shares = shares
        self.isNew = isNew
    }
}

/// What one target takes in from one source.
public struct Share: Sendable, Hashable {
    /// The token whose content it is.
    public let source: Int
    /// How much of it.
    public let weight: Double

    /// `weight` of `source`.
    public init(source: Int, weight: Double) {
        self.source = source
        self.weight = weight
    }
}

extension LayerView {
    /// The visual tokens that stay when `sources` go, ascending.
    func survivors(without sources: [Int]) -> [Int] {
        let gone = Set(sources)
        return (0..<count).filter { !gone.contains($0) }
    }
}
