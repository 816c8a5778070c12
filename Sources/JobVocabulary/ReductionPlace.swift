/// The part of the model in which a reduction happens, in the order of the forward pass.
///
/// The raw values stand in options, tables and result files.
public enum ReductionPlace: String, Sendable, CaseIterable {
    /// Inside the layers of the vision tower or right after one of them, before the projector.
    case visionEncoder = "encoder"
    /// After the projector, before the language model; counts as one layer.
    case projector = "projector"
    /// Inside the layers of the language model, during prefill.
    case languageModel = "decoder"
}
