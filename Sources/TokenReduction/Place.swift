/// The half of the model in which a reduction happens.
public enum Place: String, Sendable, Hashable, CaseIterable {
    /// Inside the layers of the vision tower, before the projector.
    case visionEncoder = "encoder"
    /// Inside the layers of the language model, during prefill.
    case languageModel = "decoder"
}
