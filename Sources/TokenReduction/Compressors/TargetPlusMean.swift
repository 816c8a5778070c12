/// VisionZip's compressor: a target plus the mean of what it takes in.
///
///     yⱼ = xⱼ + (1 / Σᵢ wᵢⱼ) Σᵢ wᵢⱼ xᵢ                                    (the code of Yang et al., CVPR 2025)
///
/// The sum of two, not their mean: the paper speaks of averaging, the authors' code adds.
public struct TargetPlusMean: Compress {
    /// There is nothing to choose.
    public init() {}

    /// One line for the table of methods.
    public var summary: String { "target plus mean of its sources" }

    /// The target and the mean of its shares.
    public func blend(_ intake: Intake, in layer: LayerView) throws(ReductionError) -> Blend {
        let total = intake.shares.reduce(0) { $0 + $1.weight }
        return Blend(
            own: 1, shares: intake.shares.map { Share(source: $0.source, weight: $0.weight / total) }, divisor: 1)
    }
}
