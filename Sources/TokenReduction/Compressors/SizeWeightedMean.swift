/// ToMe's compressor: the mean of all original tokens that the target and its sources stand for.
///
///     yⱼ = (mⱼ xⱼ + Σᵢ wᵢⱼ mᵢ xᵢ) / (mⱼ + Σᵢ wᵢⱼ mᵢ)            (Bolya et al., ICLR 2023, section 3)
///
/// m are sizes: 1 at the start, and carried from layer to layer. What holds: Σⱼ mⱼ is the number of original tokens that
/// have not been dropped, and Σⱼ mⱼ yⱼ is conserved.
public struct SizeWeightedMean: Compress {
    /// The sizes are the layer's.
    public init() {}

    /// One line for the table of methods.
    public var summary: String { "size-weighted mean" }

    /// The mean by sizes.
    public func blend(_ intake: Intake, in layer: LayerView) throws(ReductionError) -> Blend {
        let own = layer.sizes[intake.target]
        let shares = intake.shares.map { Share(source: $0.source, weight: $0.weight * layer.sizes[$0.source]) }
        return Blend(own: own, shares: shares, divisor: shares.reduce(own) { $0 + $1.weight })
    }
}
