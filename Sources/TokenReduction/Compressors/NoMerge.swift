/// Pruning's compressor: survivors stay as they are.
public struct NoMerge: Compress {
    /// There is nothing to choose.
    public init() {}

    /// Targets take in nothing.
    public var merges: Bool { false }

    /// One line for the table of methods.
    public var summary: String { "survivors unchanged" }

    /// Leaves the target token as it is.
    public func blend(_ intake: Intake, in layer: LayerView) throws(ReductionError) -> Blend {
        Blend(own: 1, shares: [], divisor: 1)
    }
}
