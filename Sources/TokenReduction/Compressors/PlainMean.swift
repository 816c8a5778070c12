/// The mean of a token and what it takes in, however many original tokens each stands for: a cluster's mean.
public struct PlainMean: Compress {
    /// There is nothing to choose.
    public init() {}

    /// One line for the table of methods.
    public var summary: String { "plain mean" }

    /// The mean of the target, with weight one, and its shares.
    public func blend(_ intake: Intake, in layer: LayerView) throws(ReductionError) -> Blend {
        Blend(own: 1, shares: intake.shares, divisor: intake.shares.reduce(1) { $0 + $1.weight })
    }
}
