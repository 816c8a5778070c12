/// EViT's compressor: the new token is the sum of what it is made of, each weighted by the observing row's attention.
///
///     y = Σᵢ aᵢ xᵢ                                              (Liang et al., ICLR 2022, eq. 4)
///
/// Attention is small, so the new token is small as well: its length is about the attention that the discarded tokens
/// hold together. The paper and the authors' code do not divide by Σᵢ aᵢ; `normalize` does.
public struct AttentionWeightedSum: Compress {
    /// Whether to divide by the sum of the weights.
    public let normalize: Bool

    /// The sum, or with `normalize` the mean.
    public init(normalize: Bool) { self.normalize = normalize }

    /// Reads `normalize`; default: weights are not divided by their sum.
    init(reading options: inout MethodOptions) throws(ReductionError) {
        try self.init(normalize: options.flag("normalize", default: false))
    }

    /// One row of attention.
    public var needs: EvidenceNeeds { .observerAttention }

    /// One line for the table of methods.
    public var summary: String { normalize ? "attention-weighted mean" : "attention-weighted sum" }

    /// Target and sources by their attention.
    public func blend(_ intake: Intake, in layer: LayerView) throws(ReductionError) -> Blend {
        let attention = try layer.observerAttention()
        let weighted = intake.shares.map { Share(source: $0.source, weight: $0.weight * attention[$0.source]) }
        let total = weighted.reduce(attention[intake.target]) { $0 + $1.weight }
        // If all their attention is 0, there is nothing to weigh by.
        guard !normalize || total != 0 else {
            return Blend(own: 1, shares: intake.shares, divisor: intake.shares.reduce(1) { $0 + $1.weight })
        }
        return Blend(own: attention[intake.target], shares: weighted, divisor: normalize ? total : 1)
    }
}
