/// VisPruner's filter: keeps the tokens with the most class attention, and of the rest the least redundant.
///
/// Of `keep` tokens ⌊important · keep⌋ are those of largest attention of the observing row. The rest, in the order of
/// attention, is thinned out in rounds until it fits: it is split into its even and odd places, each even one has the
/// largest cosine with an odd one, and the 8 of largest cosine go (fewer in the last round). The even ones left, by
/// falling cosine, and then the odd ones are the rest of the next round (Zhang et al., ICCV 2025, section 3.3). Cosines
/// are those of the tokens' states.
///
/// Each round depends on all before it, and on which of two nearly equal tokens comes first: a difference in the last bits
/// of attention or cosines can change many of the tokens that stay, and did change 5 of 400 answers of the demo benchmark.
/// Where arithmetic is equal bit for bit, as between any company on one type of processor, so is the choice; between types
/// of processor it need not be.
///
/// The authors' code fails where a round begins with an odd number of tokens; here the even places then have one more. A
/// token's score is minus its attention; those that go are named in the order in which they went.
public struct AttentionThenVariety: Filter {
    /// The share of the tokens that stay which are chosen by attention.
    public let important: Double

    /// Half of them, as in the authors' configuration of 128.
    public init(important: Double) { self.important = important }

    /// Reads `important`; default: half.
    init(reading options: inout MethodOptions) throws(ReductionError) {
        try self.init(important: options.number("important", default: 0.5, in: 0...1))
    }

    /// One row of attention.
    public var needs: EvidenceNeeds { .observerAttention }

    /// One line for the table of methods.
    public var summary: String { "all but \(important) by class attention and the least repeated of the rest" }

    /// All but the chosen, in the order in which they went.
    public func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates {
        let scores = try Candidates(largest: 0, of: layer.observerAttention().map { -$0 }).scores
        let keep = layer.count - count
        let first = Int(Double(keep) * important)
        let ranked = scores.indices.sorted { scores[$0] == scores[$1] ? $0 < $1 : scores[$0] < scores[$1] }
        var rest = Array(ranked.dropFirst(first))
        guard keep > first else { return Candidates(scores: scores, sources: rest.reversed()) }
        let cosines = try layer.unitStates().allCosines()
        var sources: [Int] = []
        while rest.count > keep - first {
            let even = stride(from: 0, to: rest.count, by: 2).map { rest[$0] }
            let odd = stride(from: 1, to: rest.count, by: 2).map { rest[$0] }
            let closest = even.map { cosines.largest(of: $0, among: odd) }
            let order = even.indices.sorted { closest[$0] == closest[$1] ? $0 < $1 : closest[$0] > closest[$1] }
            let leaving = min(8, rest.count - (keep - first), even.count)
            sources += order.prefix(leaving).map { even[$0] }
            rest = order.dropFirst(leaving).map { even[$0] } + odd
        }
        return Candidates(scores: scores, sources: sources)
    }
}
