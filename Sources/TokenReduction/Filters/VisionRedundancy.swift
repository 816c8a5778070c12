public import JobVocabulary

/// How a visual token's part in the attention among visual tokens is read off the map.
public enum VisionAxis: String, Sendable, Hashable, CaseIterable {
    /// Σⱼ A[i, j]: what token i takes from the others, equation 1 to the letter.
    case row
    /// Σⱼ A[j, i]: what the others take from token i, "received attention" in the prose.
    case column
}

extension MethodOptions {
    /// Reads `scores` of FiCoCo-V's filter and correlation; logits unless told otherwise, see `MethodRecipe.fiCoCoV`.
    mutating func attentionScores() throws(ReductionError) -> AttentionScores {
        try choice("scores", default: .logits)
    }
}

/// FiCoCo-V's filter: drops tokens that are redundant among visual tokens and that the class token ignores.
///
///     sᵢ = λ · (1/N) Σⱼ Aᵢⱼ − (1−λ) · a^CLSᵢ                    (Han et al., arXiv:2411.17686v4, eq. 1)
///
/// followed by the local penalty of section 3.2. The sum runs over the N visual tokens, i itself included.
///
/// Three readings are open. *Axis*: with rows of probabilities the sum over j is exactly 1 − A[i, CLS], nearly the same
/// number for every token, so the first term says nothing. *Scores*: the paper writes probabilities, the authors' code
/// averages rows of logits. *Scale*: the code scales both terms to unit length and swaps the
/// weights (0.65 on the vision term), which is ``TermScale/l2``; the equation has neither. The defaults of the options
/// were decided by what they keep, see `MethodRecipe.fiCoCoV`.
public struct VisionRedundancy: Filter {
    /// λ: the weight of the vision term against the class token's.
    public let lambda: Double
    /// How the sum is read off the map.
    public let axis: VisionAxis
    /// The kind of map it is read off.
    public let scores: AttentionScores
    /// How both terms are scaled.
    public let scale: TermScale
    /// What happens to the scores in each window.
    public let localPenalty: LocalPenalty

    /// Equation 1 with the given weight and reading of the sum.
    public init(
        lambda: Double, axis: VisionAxis, scores: AttentionScores, scale: TermScale, localPenalty: LocalPenalty
    ) {
        self.lambda = lambda
        self.axis = axis
        self.scores = scores
        self.scale = scale
        self.localPenalty = localPenalty
    }

    /// Reads `scores`, `normalize`, `lambda`, `axis`, `window` and `penalty`; unless told otherwise rows of logits as they
    /// are, with the paper's λ and local penalty.
    init(reading options: inout MethodOptions) throws(ReductionError) {
        let scores = try options.attentionScores()
        let scale = try options.choice("normalize", default: TermScale.none)
        try self.init(
            lambda: options.number("lambda", default: scale.visionWeight, in: 0...1),
            axis: options.choice("axis", default: .row), scores: scores, scale: scale,
            localPenalty: LocalPenalty(reading: &options))
    }

    /// An attention map of the chosen kind.
    public var needs: EvidenceNeeds { scores.needs }

    /// Only the vision tower, where a class token is.
    public var places: Set<ReductionPlace> { [.visionEncoder] }

    /// One line for the table of methods.
    public var summary: String {
        "\(lambda)·vision(\(axis.rawValue) \(scores.rawValue)) − \(1 - lambda)·class attention, "
            + (scale == .l2 ? "both of length one, " : "") + localPenalty.summary
    }

    /// Equation 1, the local penalty, and the largest scores.
    public func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates {
        let attention = try layer.attention(scores)
        let visual = layer.layout.visual.runs
        guard let classToken = layer.layout.classToken else {
            throw ReductionError(
                .missingEvidence,
                "FiCoCo-V weighs tokens by the attention of the class token, and this sequence has none: "
                    + "say which row it is, or use a method that does without")
        }
        let vision =
            switch axis {
            case .row: attention.rowSums(rows: visual, columns: visual)
            case .column: attention.columnSums(rows: visual, columns: visual)
            }
        let classAttention = scale.applied(to: attention.row(classToken, columns: visual))

        let n = Double(layer.count)
        let mean = scale.applied(to: vision.map { $0 / n })
        var redundancy = zip(mean, classAttention).map { lambda * $0 - (1 - lambda) * $1 }
        localPenalty.apply(to: &redundancy, in: layer)
        return try Candidates(largest: count, of: redundancy)
    }
}
