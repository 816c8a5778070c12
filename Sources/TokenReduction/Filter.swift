/// The first verb: which visual tokens to give up.
public protocol Filter: Sendable {
    /// What it must be shown.
    var needs: EvidenceNeeds { get }
    /// One line for the table of methods.
    var summary: String { get }
    /// The tokens that may go; at least `count` of them, more where the next stage settles the choice.
    func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates
}

/// A filter's verdict on every visual token of a layer.
public struct Candidates: Sendable, Hashable {
    /// One score for each visual token; larger goes first.
    public let scores: [Double]
    /// The tokens that may go, the most redundant first.
    public let sources: [Int]

    /// A verdict reached some other way than by ranking, for filters that choose one token after the other.
    public init(scores: [Double], sources: [Int]) {
        self.scores = scores
        self.sources = sources
    }

    /// The `count` tokens of largest score; equal scores go in raster order.
    public init(largest count: Int, of scores: [Double]) throws(ReductionError) {
        guard scores.allSatisfy(\.isFinite) else {
            throw ReductionError(
                .notFinite, "the redundancy scores are not finite numbers: the layer's evidence holds NaN or infinity")
        }
        let order = scores.indices.sorted {
            scores[$0] == scores[$1] ? $0 < $1 : scores[$0] > scores[$1]
        }
        self.init(scores: scores, sources: Array(order.prefix(count)))
    }
}
