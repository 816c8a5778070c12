import Foundation

/// The tokens that a checkpoint adds on top of its vocabulary, such as `<image>`.
///
/// `tokenizer.json`, `tokenizer_config.json` and, where that has no `added_tokens_decoder`, `added_tokens.json` may name them. They must agree on ids, and on whether a
/// token is looked for behind the normaliser; on everything else `tokenizer_config.json` counts before `tokenizer.json`, as
/// in transformers 4.57.
struct AddedTokens {
    /// One token.
    struct Token: Equatable {
        var id: Int
        var isSpecial: Bool
        /// Whether it is looked for behind the normaliser, which then applies to its own text as well.
        var isNormalized = false
        var takesSpaceBefore = false
        var takesSpaceBehind = false
        var isWholeWord = false
        /// The file that says so, for messages.
        var file: String
    }

    /// The tokens by their text.
    private(set) var tokens: [String: Token] = [:]
    private var ids: Set<Int> = []

    /// The tokens of a folder without `tokenizer.json`.
    init(directory: URL, configuration: TokenizerConfiguration) throws(TokenizerError) {
        for (id, entry) in configuration.addedTokens ?? [] {
            let (content, token) = try Self.token(entry, id: id, file: configuration.file)
            guard !token.takesSpaceBefore, !token.takesSpaceBehind, !token.isWholeWord else {
                throw TokenizerError(
                    .unsupported,
                    "the added token \"\(content)\" strips spaces or asks for word boundaries, which is supported only for "
                        + "a tokenizer.json; save one", file: configuration.file)
            }
            // Without a tokenizer.json, whether a token is normalised has no effect.
            try add(content, Token(id: id, isSpecial: token.isSpecial, file: token.file))
        }
        if configuration.addedTokens == nil { try addList(directory) }
    }

    /// The tokens of a folder with a `tokenizer.json`.
    init(
        directory: URL, configuration: TokenizerConfiguration, entries: [JSONValue], vocabulary: any Vocabulary,
        file: String
    ) throws(TokenizerError) {
        let special = Set(configuration.special.map(\.content))
        for entry in entries {
            let (content, token) = try Self.token(entry, id: entry["id"]?.integer, file: file)
            try check(content, token, vocabulary)
            try add(content, token)
        }
        for (id, entry) in configuration.addedTokens ?? [] {
            var (content, token) = try Self.token(entry, id: id, file: configuration.file)
            token.isSpecial = token.isSpecial || special.contains(content)
            try check(content, token, vocabulary)
            try add(content, token)
            guard tokens[content]?.isNormalized == token.isNormalized else {
                throw TokenizerError(
                    .unsupported,
                    "the added token \"\(content)\" has normalized \(token.isNormalized), and tokenizer.json says otherwise; "
                        + "which counts depends on the library: make them agree", file: token.file)
            }
            tokens[content] = token
        }
        for (content, entry) in configuration.special where tokens[content] == nil {
            let id = vocabulary.id(of: content) ?? free(vocabulary)
            var token = Token(id: id, isSpecial: true, file: configuration.file)
            if let entry { token = try Self.token(entry, id: id, file: configuration.file).token }
            token.isSpecial = true
            try add(content, token)
        }
        if configuration.addedTokens == nil { try addList(directory) }
    }

    /// Adds a token; refuses a second id for the same text and a second text for the same id.
    mutating func add(_ content: String, _ token: Token) throws(TokenizerError) {
        if let known = tokens[content] {
            guard known.id == token.id else {
                throw TokenizerError(
                    .damaged,
                    "\"\(content)\" is token \(token.id), but \(known.file) says \(known.id); the files belong to "
                        + "different checkpoints", file: token.file)
            }
            return
        }
        guard (0...Int(Int32.max)).contains(token.id), !content.isEmpty, ids.insert(token.id).inserted else {
            throw TokenizerError(
                .damaged, "the added token \"\(content)\" cannot have the id \(token.id); it is taken or not possible",
                file: token.file)
        }
        tokens[content] = token
    }

    /// The first id behind all pieces and added tokens.
    func free(_ vocabulary: any Vocabulary) -> Int { max(vocabulary.count, (ids.max() ?? -1) + 1) }

    /// `added_tokens.json`: ids by text.
    private mutating func addList(_ directory: URL) throws(TokenizerError) {
        let url = directory.appendingPathComponent("added_tokens.json")
        for (content, id) in try JSONValue.object(in: url)?.object ?? [:] {
            guard let id = id.integer else {
                throw TokenizerError(.damaged, "the added token \"\(content)\" has no id", file: url.path)
            }
            try add(content, Token(id: id, isSpecial: true, file: url.path))
        }
    }

    /// Refuses an id that transformers would not give the token: it takes the piece of that text, or the next free id.
    private func check(_ content: String, _ token: Token, _ vocabulary: any Vocabulary) throws(TokenizerError) {
        let expected = tokens[content]?.id ?? vocabulary.id(of: content) ?? free(vocabulary)
        guard expected == token.id else {
            throw TokenizerError(
                .damaged,
                "the added token \"\(content)\" says it is token \(token.id), and with this vocabulary it is \(expected); "
                    + "the files belong to different checkpoints", file: token.file)
        }
    }

    /// An entry as both files write it.
    private static func token(
        _ entry: JSONValue, id: Int?, file: String
    ) throws(TokenizerError) -> (content: String, token: Token) {
        guard let content = entry["content"]?.text else {
            throw TokenizerError(.damaged, "an added token has no content; download the file again", file: file)
        }
        guard let id else {
            throw TokenizerError(.damaged, "the added token \"\(content)\" has no id", file: file)
        }
        let isSpecial = entry["special"]?.bool ?? false
        return (
            content,
            Token(
                id: id, isSpecial: isSpecial, isNormalized: entry["normalized"]?.bool ?? !isSpecial,
                takesSpaceBefore: entry["lstrip"]?.bool ?? false, takesSpaceBehind: entry["rstrip"]?.bool ?? false,
                isWholeWord: entry["single_word"]?.bool ?? false, file: file)
        )
    }
}
