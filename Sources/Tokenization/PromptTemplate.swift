/// How an instruction becomes a prompt for a model that was trained on dialogues.
public enum PromptTemplate: String, Sendable, CaseIterable {
    /// The text is the whole prompt, `<image>` included where there is a picture.
    case none
    /// Hugging Face's chat template: no system sentence.
    case hf
    /// The template of the original LLaVA-1.5 and of every published benchmark number.
    case vicunaV1 = "vicuna_v1"

    /// The prompt for an instruction about one picture, or about none.
    ///
    /// Where the instruction says itself where the picture stands, with an `<image>` of its own, none is added.
    public func render(_ instruction: String, hasPicture: Bool = true) -> String {
        let turn = !hasPicture || instruction.contains("<image>") ? instruction : "<image>\n\(instruction)"
        return switch self {
        case .none: instruction
        case .hf: "USER: \(turn) ASSISTANT:"
        case .vicunaV1: "\(Self.vicunaSystem) USER: \(turn) ASSISTANT:"
        }
    }

    private static let vicunaSystem =
        "A chat between a curious user and an artificial intelligence assistant. "
        + "The assistant gives helpful, detailed, and polite answers to the user's questions."
}
