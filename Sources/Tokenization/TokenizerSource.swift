import Foundation

/// The files of a folder that make a tokenizer: `tokenizer.json` where there is one, else `tokenizer.model`.
struct TokenizerSource {
    /// The file with the vocabulary.
    let file: String
    let vocabulary: any Vocabulary
    let added: AddedTokens
    /// The id in front of every text; nil if there is none.
    let beginning: Int?
    /// Whether decoded texts lose the spaces before punctuation.
    let cleansSpaces: Bool

    /// Reads the files of a folder.
    init(directory: URL) throws(TokenizerError) {
        let configuration = try TokenizerConfiguration(directory: directory)
        let url = directory.appendingPathComponent("tokenizer.json")
        if let bytes = try JSONValue.bytes(of: url) {
            try self.init(bytes, url.path, directory, configuration)
        } else {
            try self.init(modelIn: directory, configuration)
        }
    }

    private init(
        _ bytes: [UInt8], _ path: String, _ directory: URL, _ configuration: TokenizerConfiguration
    ) throws(TokenizerError) {
        let source = try TokenizerFile(bytes, file: path)
        let vocabulary = source.vocabulary
        let added = try AddedTokens(
            directory: directory, configuration: configuration, entries: source.addedTokens, vocabulary: vocabulary,
            file: path)
        switch try configuration.beginning(of: source.form, postProcessor: source.beginning) {
        case nil: beginning = source.beginning.first
        case "": beginning = nil
        case let text?:
            guard let id = added.tokens[text]?.id ?? vocabulary.id(of: text) else {
                throw TokenizerError(
                    .unsupported,
                    "bos_token is \"\(text)\", which tokenizer.json does not have; take both files from one checkpoint",
                    file: configuration.file)
            }
            beginning = id
        }
        if let beginning, beginning >= vocabulary.count, !added.tokens.values.contains(where: { $0.id == beginning }) {
            throw TokenizerError(
                .damaged,
                "its post_processor puts token \(beginning) in front of texts, which does not exist; download the file again",
                file: path)
        }
        cleansSpaces = configuration.cleansSpaces
        file = path
        self.vocabulary = vocabulary
        self.added = added
    }

    private init(modelIn directory: URL, _ configuration: TokenizerConfiguration) throws(TokenizerError) {
        let url = directory.appendingPathComponent("tokenizer.model")
        let bytes: [UInt8]
        do {
            bytes = [UInt8](try Data(contentsOf: url))
        } catch {
            let why = error.localizedDescription
            throw TokenizerError(
                .unreadable, "cannot be read (\(why)); the model's folder needs its tokenizer.json or tokenizer.model",
                file: url.path)
        }
        let model = try SentencePieceModel(bytes, file: url.path)
        guard let beginning = model.beginning else {
            throw TokenizerError(
                .unsupported, "the model has no begin marker; LLaVA-1.5's has <s>", file: url.path)
        }
        added = try AddedTokens(directory: directory, configuration: configuration)
        try configuration.checkModel(model, added: Set(added.tokens.keys))
        for (content, token) in added.tokens where token.id < model.count {
            let piece = model.text(of: token.id)
            guard piece == content else {
                throw TokenizerError(
                    .damaged,
                    "token \(token.id) is \"\(content)\" here, but \"\(piece)\" in tokenizer.model; the files belong to "
                        + "different checkpoints", file: token.file)
            }
        }
        vocabulary = model
        self.beginning = configuration.addsBeginning ? beginning : nil
        cleansSpaces = configuration.cleansSpaces
        file = url.path
    }
}
