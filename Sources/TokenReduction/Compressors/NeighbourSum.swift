/// PruMerge's compressor: a token plus what it takes in, each weighted by the class token's attention in the next layer.
///
///     yⱼ = xⱼ + Σᵢ aᵢ xᵢ,   a new token Σᵢ aᵢ xᵢ                        (the authors' code of Shang et al., ICCV 2025)
///
/// a is that of ``UpcomingObserverAttention``, all heads as one. The authors' code has a division by Σᵢ aᵢ that is
/// switched off; `normalize` switches it on.
public struct NeighbourSum: Compress {
    /// Whether each sum of neighbours is divided by the sum of its weights.
    public let normalize: Bool

    /// The sum, or with `normalize` the mean of what is taken in.
    public init(normalize: Bool) { self.normalize = normalize }

    /// Reads `normalize`; default: weights are not divided by their sum.
    init(reading options: inout MethodOptions) throws(ReductionError) {
        try self.init(normalize: options.flag("normalize", default: false))
    }

    /// The next layer's attention.
    public var needs: EvidenceNeeds { .upcomingAttentionHeadsAsOne }

    /// One line for the table of methods.
    public var summary: String { "target plus attention-weighted \(normalize ? "mean" : "sum")" }

    /// The target and what it takes in by their attention.
    public func blend(_ intake: Intake, in layer: LayerView) throws(ReductionError) -> Blend {
        let attention = try layer.upcomingAttention(headsAsOne: true)
        let shares = intake.shares.map { Share(source: $0.source, weight: attention[$0.source]) }
        let own = intake.isNew ? attention[intake.target] : 1
        let total = shares.reduce(intake.isNew ? own : 0) { $0 + $1.weight }
        // If all their attention is 0, there is nothing to divide by.
        let divisor = normalize && total > 0 ? total : 1
        return intake.isNew
            ? Blend(own: own, shares: shares, divisor: divisor)
            : Blend(own: 1, shares: shares.map { Share(source: $0.source, weight: $0.weight / divisor) }, divisor: 1)
    }
}
