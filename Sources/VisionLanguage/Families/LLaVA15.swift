import JobVocabulary

extension ModelFamily {
    /// LLaVA-1.5 (Liu et al. 2024) in the llava-hf layout: a picture is made square, and is one tile.
    static let llava = ModelFamily(
        name: "LLaVA-1.5 (llava)", recognises: { file, type in type == "llava" && file.has("text_config") },
        configuration: { checkpoint throws(ModelError) in
            var configuration = try LLaVAConfiguration(huggingFace: checkpoint.file, as: [.model])
            configuration.framing = try PictureSettings.file(of: checkpoint.directories)
                .flatMap(PictureSettings.framing)
            return configuration
        })

    /// LLaVA-1.5 as its authors publish it: the sizes of the language model at the top level of `config.json`, the tower in a
    /// folder of its own.
    static let originalLLaVA = ModelFamily(
        name: "LLaVA-1.5 in its authors' layout (llava, llava_llama)",
        recognises: { _, type in ["llava", "llava_llama"].contains(type) },
        configuration: { checkpoint throws(ModelError) in
            var configuration = try LLaVAConfiguration(original: checkpoint, as: [.original, .text])
            configuration.framing = try framing(checkpoint.file)
            return configuration
        })

    /// What the authors' layout says about pictures that are not square.
    private static func framing(
        _ file: ConfigurationFile
    ) throws(ModelError) -> LLaVAConfiguration.StatedFraming? {
        guard file.has("image_aspect_ratio") else { return nil }
        let value = try file.text("image_aspect_ratio")
        switch value {
        case "pad": return .init(framing: .pad, place: "image_aspect_ratio is \(value) in \(file.path)")
        case "square": return .init(framing: .crop, place: "image_aspect_ratio is \(value) in \(file.path)")
        default: throw file.wrong("image_aspect_ratio", "pad, square, or anyres (LLaVA-NeXT)")
        }
    }
}
