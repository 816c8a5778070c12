/// How an instruction becomes a prompt for a model that was trained on dialogues.
public enum PromptTemplate: String, Sendable, CaseIterable {
    /// The text is the whole prompt, with an `<image>` for each picture.
    case none
    /// Hugging Face's chat template: no system sentence.
    case hf
    /// The template of the original LLaVA-1.5 and of every published benchmark number.
    case vicunaV1 = "vicuna_v1"

    /// The text that says where a picture goes.
    public static let imageTag = "<image>"

    /// The prompt for an instruction about some pictures, or about none.
    ///
    /// The pictures go before the instruction, each on a line of its own, unless the instruction says itself where, with an
    /// `<image>` for each that is a place.
    public func render(_ instruction: String, pictures: Int = 1, tag: ImageTag? = nil) -> RenderedPrompt {
        if self == .none { return RenderedPrompt(text: instruction, pictures: .max) }
        let isPlaced = tag == .place && instruction.contains(Self.imageTag)
        let turn =
            isPlaced ? instruction : String(repeating: "\(Self.imageTag)\n", count: pictures) + instruction
        let system = self == .vicunaV1 ? Self.vicunaSystem + " " : ""
        return RenderedPrompt(
            text: "\(system)USER: \(turn) ASSISTANT:", pictures: tag == .place ? .max : pictures)
    }

    private static let vicunaSystem =
        "A chat between a curious user and an artificial intelligence assistant. "
        + "The assistant gives helpful, detailed, and polite answers to the user's questions."
}

/// What `<image>` in an instruction is, under a template.
public enum ImageTag: String, Sendable, CaseIterable {
    /// Where a picture goes.
    case place
    /// Text like any other.
    case text
}

/// A prompt as text, in which `<image>` may be a picture or text.
public struct RenderedPrompt: Sendable, Hashable {
    /// The text.
    public let text: String
    /// How many `<image>`, from the first on, stand for pictures.
    public let pictures: Int
}
