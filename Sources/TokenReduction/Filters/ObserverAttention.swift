/// Drops what the observing row attends to least: the class token in the tower, the prompt's last word in the decoder.
///
///     sᵢ = − (1/H) Σₕ softmax(q_o kᵢᵀ/√d)ₕ
///
/// One row of attention, not the map. FasterVLM and VisionZip rank by it after the tower, EViT inside of it, FastV in the
/// language model.
public struct ObserverAttention: Filter {
    /// The ranking has no parameters.
    public init() {}

    /// One row of attention.
    public var needs: EvidenceNeeds { .observerAttention }

    /// The ranking is of all tokens.
    public var offers: CandidateContent { .ranking }

    /// One line for the table of methods.
    public var summary: String { "least attention of the class token or last word" }

    /// All tokens, the least attended first.
    public func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates {
        try Candidates(leastWorthFirst: layer.observerAttention())
    }
}
