public import JobVocabulary

/// The first verb: which visual tokens to give up.
public protocol Filter: Sendable {
    /// The evidence that a layer must offer.
    var needs: EvidenceNeeds { get }
    /// One line for the table of methods.
    var summary: String { get }
    /// Where it can work: a class token is only in the tower, text only in the language model.
    var places: Set<ReductionPlace> { get }
    /// What its verdict holds beside the tokens that go.
    var offers: CandidateContent { get }
    /// How many layers before the reducing one it looks back to.
    var layersOfHistory: Int { get }
    /// How many of `tokens` visual tokens one step can give up at most.
    func mostRemovable(of tokens: Int) -> Int
    /// The tokens that may go; at least `count` of them, more where the next stage settles the choice.
    func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates
}

/// A filter that can say by itself how many tokens it would keep.
public protocol CountingFilter: Filter {
    /// How many tokens of the layer it would keep, new ones included; at least 1.
    func count(in layer: LayerView) throws(ReductionError) -> Int
}

extension Filter {
    /// Default: a filter can stand in every place.
    public var places: Set<ReductionPlace> { Set(ReductionPlace.allCases) }
    /// Default: only the tokens that go.
    public var offers: CandidateContent { [] }
    /// Default: no earlier layers.
    public var layersOfHistory: Int { 0 }
    /// Default: all tokens but one.
    public func mostRemovable(of tokens: Int) -> Int { tokens - 1 }
}

/// A filter's verdict on every visual token of a layer.
public struct Candidates: Sendable, Hashable {
    /// One score for each visual token; larger goes first.
    public let scores: [Double]
    /// The tokens that may go, the most redundant first.
    public let sources: [Int]
    /// For filters that look at pairs, the token each token belongs to.
    public let partners: [Int]?
    /// For filters that choose who stays, those tokens in the order in which they were chosen.
    public let survivors: [Int]?

    /// A verdict reached some other way than by ranking, for filters that choose one token after the other.
    public init(scores: [Double], sources: [Int], partners: [Int]? = nil, survivors: [Int]? = nil) {
        self.scores = scores
        self.sources = sources
        self.partners = partners
        self.survivors = survivors
    }

    /// The `count` tokens of largest score; equal scores go in the order of the sequence.
    public init(largest count: Int, of scores: [Double], partners: [Int]? = nil) throws(ReductionError) {
        guard scores.allSatisfy(\.isFinite) else {
            throw ReductionError(
                .notFinite, "the redundancy scores are not finite numbers: the layer's evidence holds NaN or infinity")
        }
        let order = scores.indices.sorted {
            scores[$0] == scores[$1] ? $0 < $1 : scores[$0] > scores[$1]
        }
        self.init(scores: scores, sources: Array(order.prefix(count)), partners: partners)
    }

    /// All tokens, the one that is worth least first; of equal ones the later, so that the earlier stays.
    public init(leastWorthFirst worth: [Double]) throws(ReductionError) {
        let ranked = try Candidates(largest: worth.count, of: worth)
        self.init(scores: worth.map { -$0 }, sources: ranked.sources.reversed())
    }

    /// Everything but `kept`: what a filter that picks the survivors one by one leaves over. The larger score goes first, of
    /// equal ones the later token.
    init(keeping kept: [Int], scores: [Double]) throws(ReductionError) {
        let ranked = try Candidates(leastWorthFirst: scores.map { -$0 })
        let chosen = Set(kept)
        self.init(scores: scores, sources: ranked.sources.filter { !chosen.contains($0) }, survivors: kept)
    }
}
