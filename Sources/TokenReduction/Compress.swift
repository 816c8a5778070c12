public import Tensors

/// The third verb: how content gets to the tokens that stay.
///
///     yⱼ = (aⱼ xⱼ + Σᵢ wᵢⱼ xᵢ) / dⱼ
///
/// A compressor is the choice of aⱼ, of what becomes of the correlation's shares, and of dⱼ.
public protocol Compress: Sendable {
    /// The evidence that a layer must offer.
    var needs: EvidenceNeeds { get }
    /// One line for the table of methods.
    var summary: String { get }
    /// Whether targets take in content of the tokens that go.
    var merges: Bool { get }
    /// The target's new content when it takes in `intake`.
    func blend(_ intake: Intake, in layer: LayerView) throws(ReductionError) -> Blend
}

/// A target's new content: `(own · target + Σ weight · source) / divisor`.
public struct Blend: Sendable, Hashable {
    /// aⱼ: the weight of the target's own content.
    public let own: Double
    /// wᵢⱼ: what each source adds.
    public let shares: [Share]
    /// dⱼ
    public let divisor: Double

    /// The given weights.
    public init(own: Double, shares: [Share], divisor: Double) {
        self.own = own
        self.shares = shares
        self.divisor = divisor
    }
}

extension Compress {
    /// Default: none beside the correlation.
    public var needs: EvidenceNeeds { [] }
    /// Default: the compressor merges.
    public var merges: Bool { true }

    /// Writes the merged content into the target rows of `tokens`, (N, width), in place; no other row changes.
    public func merge(
        _ correlation: Correlation, in layer: LayerView, into tokens: Tensor
    ) throws(ReductionError) {
        // Copies are of what was there before anything merged.
        let before = correlation.copies.isEmpty ? tokens : tokens.gathering(Array(0..<tokens.rows))
        for intake in correlation.intakes {
            let blend = try blend(intake, in: layer)
            let weights = [blend.own, blend.divisor] + blend.shares.map(\.weight)
            guard blend.divisor != 0, weights.allSatisfy(\.isFinite) else {
                throw ReductionError(
                    .notFinite,
                    "the weights with which tokens merge cancel or are not finite: is the evidence from this layer?")
            }
            tokens.blend(
                row: intake.target, keeping: blend.own, with: blend.shares, of: before, dividingBy: blend.divisor)
        }
    }
}
