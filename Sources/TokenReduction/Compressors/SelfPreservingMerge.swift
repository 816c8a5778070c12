/// FiCoCo's compression: a survivor becomes the weighted mean of itself, with weight one, and what it takes in.
///
///     Xⱼ ← (Xⱼ + Σᵢ αᵢⱼ Xᵢ) / (1 + Σᵢ αᵢⱼ)                       (Han et al., arXiv:2411.17686v4, eq. 2)
///
/// No sizes are carried from layer to layer. What holds: Σⱼ (1 + Σᵢ αᵢⱼ) is the number of tokens that entered, and
/// Σⱼ (1 + Σᵢ αᵢⱼ) Xⱼ is the sum of them. "At least half of itself", as the paper says, does not: several sources may
/// share one target. The authors' code divides for -V and leaves the division out for -L; we divide in both.
public struct SelfPreservingMerge: Compress {
    /// Equation 2 has no parameters.
    public init() {}

    /// One line for the table of methods.
    public var summary: String { "self-preserving mean" }

    /// The mean of the target, with weight one, and its shares.
    public func blend(_ intake: Intake, in layer: LayerView) throws(ReductionError) -> Blend {
        let size = 1 + intake.shares.reduce(0) { $0 + $1.weight }
        // Logits may share with both signs; nothing sensible is left where they cancel exactly.
        guard size.isFinite, size != 0 else {
            throw ReductionError(
                .notFinite, "the shares that one token takes in cancel its own weight: use scores=probabilities")
        }
        return Blend(own: 1, shares: intake.shares, divisor: size)
    }
}
