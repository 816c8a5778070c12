/// Pruning's compressor: survivors stay as they are.
///
/// Together with a correlation that names targets it drops what would have gone to them.
public struct NoMerge: Compress {
    /// There is nothing to choose.
    public init() {}

    /// One line for the table of methods.
    public var summary: String { "survivors unchanged" }

    /// The target as it is.
    public func blend(_ target: Int, with shares: [Share], in layer: LayerView) throws(ReductionError) -> Blend {
        Blend(own: 1, shares: [], divisor: 1)
    }
}
