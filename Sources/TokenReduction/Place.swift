/// The part of the model in which a reduction happens, in the order of the forward pass.
public enum Place: String, Sendable, Hashable, CaseIterable {
    /// Inside the layers of the vision tower or right after one of them, before the projector.
    case visionEncoder = "encoder"
    /// After the projector, before the language model; counts as one layer.
    case projector = "projector"
    /// Inside the layers of the language model, during prefill.
    case languageModel = "decoder"
}

/// At what point of a layer a reduction happens.
public enum Moment: String, Sendable, Hashable, CaseIterable {
    /// After the attention has been added, before the second norm and the MLP.
    case afterAttention = "after-attention"
    /// After the whole layer.
    case afterLayer = "after-layer"
}
