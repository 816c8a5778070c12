public import JobVocabulary

/// Drops the tokens that reach the observing row least through several layers: attention rollout.
///
///     R = Â_L ⋯ Â₁,   Â = (A + I) with rows that sum to one,   sᵢ = − R[o, i]        (Abnar and Zuidema, ACL 2020)
///
/// A are the head-mean maps of the reducing layer and of those before it, `layers` together, as far back as no token was
/// given up in between. The row o is the class token's in the tower and the prompt's last in the language model. It is
/// multiplied from the left, so no product of maps is ever computed.
///
/// IVTP (ECCV 2024) ranks by rollout in groups of three layers; its algorithm is not public, so no method bears its name.
public struct AttentionRollout: Filter {
    /// Layers that the attention is followed through.
    public let layers: Int

    /// Through `layers` layers, at least one.
    public init(layers: Int) { self.layers = max(layers, 1) }

    /// Reads `layers`; default: 3.
    init(reading options: inout MethodOptions) throws(ReductionError) {
        try self.init(layers: options.integer("layers", default: 3, in: 1...64))
    }

    /// The map of each of these layers.
    public var needs: EvidenceNeeds { .attentionProbabilities }

    /// The layers before the reducing one.
    public var layersOfHistory: Int { layers - 1 }

    /// The ranking is of all tokens.
    public var offers: CandidateContent { .ranking }

    /// The places that have attention maps.
    public var places: Set<ReductionPlace> { [.visionEncoder, .languageModel] }

    /// One line for the table of methods.
    public var summary: String { "least attention of the class token or last word, rolled out over \(layers) layers" }

    /// All tokens, the least attended first.
    public func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates {
        let maps = try layer.evidence.earlierAttention + [layer.attention(.probabilities)]
        let rows = 0..<layer.layout.rows
        var flow = [Double](repeating: 0, count: rows.count)
        flow[layer.layout.classToken ?? rows.count - 1] = 1
        for map in maps.reversed() {
            let sums = map.rowSums(rows: [rows], columns: [rows])
            let through = zip(flow, sums).map { $0 / ($1 + 1) }
            let moved = map.combination(of: [rows], weights: through, columns: [rows])
            flow = zip(moved, through).map { $0 + $1 }
        }
        return try Candidates(leastWorthFirst: layer.layout.visual.of(flow))
    }
}
