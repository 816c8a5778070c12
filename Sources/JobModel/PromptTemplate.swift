/// The text around an instruction, in the form that a model was trained on.
///
/// The raw values stand in batch files, on the command line and in shards.
public enum PromptTemplate: String, Codable, Sendable, CaseIterable {
    /// The text is the whole prompt, with an `<image>` for each picture.
    case none
    /// Hugging Face's chat template of LLaVA-1.5 and of LLaVA-NeXT with Vicuna: no system sentence.
    case hf
    /// The template of the original LLaVA-1.5 and of every published benchmark number; also of LLaVA-NeXT with Vicuna.
    case vicunaV1 = "vicuna_v1"
    /// LLaVA-NeXT with Mistral 7B: the authors' template, and for one turn Hugging Face's as well.
    case mistralInstruct = "mistral_instruct"
    /// LLaVA-NeXT with Llama 3: the authors' template, in which the header token before `user` stands twice.
    case llavaLlama3 = "llava_llama_3"
    /// LLaVA-NeXT with Llama 3: Hugging Face's chat template, with neither a system sentence nor the second header token.
    case hfLlama3 = "hf_llama_3"
    /// LLaVA-NeXT 34B (Nous-Hermes-2-Yi): the authors' template.
    case chatmlDirect = "chatml_direct"

    /// The text that says where a picture goes.
    public static let imageTag = "<image>"

    /// The prompt for an instruction about some pictures, or about none.
    ///
    /// The pictures go before the instruction, each on a line of its own, unless the instruction says itself where, with an
    /// `<image>` for each that is a place. Hugging Face's template for Llama 3 has one line for all pictures, and a line
    /// break before the instruction even without one. What a tokenizer puts in front of a text is no part of it.
    public func render(_ instruction: String, pictures: Int = 1, tag: ImageTag? = nil) -> RenderedPrompt {
        if self == .none { return RenderedPrompt(text: instruction, pictures: .max) }
        let isPlaced = tag == .place && instruction.contains(Self.imageTag)
        let tags = Array(repeating: Self.imageTag, count: isPlaced ? 0 : pictures)
        let turn =
            self == .hfLlama3
            ? tags.joined() + "\n" + instruction
            : tags.map { $0 + "\n" }.joined() + instruction
        let (before, behind) = frame
        return RenderedPrompt(text: before + turn + behind, pictures: tag == .place ? .max : pictures)
    }

    /// What stands before and behind the instruction.
    private var frame: (before: String, behind: String) {
        switch self {
        case .none: ("", "")
        case .hf: ("USER: ", " ASSISTANT:")
        case .vicunaV1: (Self.vicunaSystem + " USER: ", " ASSISTANT:")
        case .mistralInstruct: ("[INST] ", " [/INST]")
        case .llavaLlama3:
            (
                "\(Self.header("system"))\(Self.llama3System)<|eot_id|><|start_header_id|>\(Self.header("user"))",
                "<|eot_id|>\(Self.header("assistant"))"
            )
        case .hfLlama3: (Self.header("user"), "<|eot_id|>\(Self.header("assistant"))")
        case .chatmlDirect:
            (
                "<|im_start|>system\nAnswer the questions.<|im_end|><|im_start|>user\n",
                "<|im_end|><|im_start|>assistant\n"
            )
        }
    }

    /// How a message of Llama 3 begins.
    private static func header(_ role: String) -> String { "<|start_header_id|>\(role)<|end_header_id|>\n\n" }

    private static let vicunaSystem =
        "A chat between a curious user and an artificial intelligence assistant. "
        + "The assistant gives helpful, detailed, and polite answers to the user's questions."

    private static let llama3System =
        "You are a helpful language and vision assistant. You are able to understand the visual content that the user "
        + "provides, and assist the user with a variety of tasks using natural language."
}

/// What `<image>` in an instruction is, under a template.
public enum ImageTag: String, Codable, Sendable, CaseIterable {
    /// Where a picture goes.
    case place
    /// `<image>` is ordinary text.
    case text
}

/// A prompt as text, in which `<image>` may be a picture or text.
public struct RenderedPrompt: Sendable, Hashable {
    /// The whole prompt, with the template's words around the instruction.
    public let text: String
    /// How many `<image>`, from the first on, stand for pictures.
    public let pictures: Int
}
