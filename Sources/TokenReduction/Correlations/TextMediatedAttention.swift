public import JobVocabulary

/// FiCoCo-L's correlation: content belongs to tokens attended to directly, or by way of the text.
///
///     Cᵢⱼ = γ · Aᵢⱼ + (1−γ) · (1/M) Σₖ Aᵢₖ · Aₖⱼ                 (Han et al., arXiv:2411.17686v4, eq. 4)
///
/// i among those that go, j among those that stay, k over the M text tokens. `axis` reads Aᵢₖ as in the filter: with
/// `received` it is Aₖᵢ, so that i and j are tied by text tokens that look at both. Version 1 prints the sum without
/// 1/M and, in one figure, with a minus sign that its own code does not have. The authors' code adds tokens that go as
/// columns, whose share is then lost.
public struct TextMediatedAttention: Correlate {
    /// γ: the weight of the direct attention against the indirect.
    public let gamma: Double
    /// How the attention is read off the map.
    public let axis: TextAxis
    /// Mean or sum over the text.
    public let version: PaperVersion
    /// Which correlations count.
    public let share: QuantileShare

    /// Equation 4 with the given weight and reading of the attention.
    public init(gamma: Double, axis: TextAxis, version: PaperVersion, above share: QuantileShare) {
        self.gamma = gamma
        self.axis = axis
        self.version = version
        self.share = share
    }

    /// Reads `gamma` and `epsilon`; default: γ is the paper's 0.6.
    init(
        reading options: inout MethodOptions, axis: TextAxis, version: PaperVersion
    ) throws(ReductionError) {
        try self.init(
            gamma: options.number("gamma", default: 0.6, in: 0...1), axis: axis, version: version,
            above: QuantileShare(reading: &options))
    }

    /// The attention probabilities.
    public var needs: EvidenceNeeds { .attentionProbabilities }

    /// Only the language model, where text is.
    public var places: Set<ReductionPlace> { [.languageModel] }

    /// One line for the table of methods.
    public var summary: String {
        "\(gamma)·direct + \(1 - gamma)·text-mediated attention (\(axis.rawValue), \(version.rawValue)) \(share.summary)"
    }

    /// Equation 4 for each source, shared out above its quantile.
    public func correlation(
        of candidates: Candidates, in layer: LayerView, removing count: Int
    ) throws(ReductionError) -> Correlation {
        let attention = try layer.attention(.probabilities)
        let (visual, text) = (layer.layout.visual, layer.layout.text)
        let perText = version.weight(ofTextTokens: text.extent)
        let sources = Array(candidates.sources.prefix(count))
        let targets = layer.survivors(without: sources)
        let edges = try sources.map { source throws(ReductionError) in
            let token = visual[source]
            let toText =
                switch axis {
                case .literal: attention.row(token, columns: text)
                case .received: attention.column(token, rows: text)
                }
            let direct = attention.row(token, columns: visual.runs)
            let indirect = attention.combination(of: text, weights: toText, columns: visual.runs)
            return try share.edges(
                of: targets.map { gamma * direct[$0] + (1 - gamma) * (indirect[$0] * perText) }, to: targets)
        }
        return Correlation(sources: sources, edges: edges)
    }
}
