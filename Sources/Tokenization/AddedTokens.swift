import Foundation

/// The tokens that a checkpoint adds on top of its SentencePiece model, such as `<image>`.
///
/// Three files may name them. `tokenizer_config.json` and `added_tokens.json` are read where they exist; those of
/// `tokenizer.json`, which also says how texts are split, only where the first names none.
struct AddedTokens {
    /// One token.
    struct Token: Equatable {
        var id: Int
        var isSpecial: Bool
        /// The file that says so, for messages.
        var file: String
    }

    /// The tokens by their text.
    private(set) var tokens: [String: Token] = [:]
    /// Whether the folder wants `<s>` in front of every text.
    private(set) var addsBeginning = true

    /// The tokens named by the files of a folder.
    init(directory: URL) throws(TokenizerError) {
        let configFile = directory.appendingPathComponent("tokenizer_config.json")
        let config: Configuration? = try decodeJSON(configFile)
        addsBeginning = config?.add_bos_token ?? true
        let fullFile = directory.appendingPathComponent("tokenizer.json")
        let full: FullTokenizer? = try decodeJSON(fullFile)
        try full?.checkForm(fullFile.path)
        if let decoder = config?.added_tokens_decoder {
            for (key, entry) in decoder {
                guard let id = Int(key) else {
                    throw TokenizerError(
                        .damaged, "added_tokens_decoder has the id \"\(key)\"; it must be a number",
                        file: configFile.path)
                }
                try add(entry, id: id, file: configFile.path, isFast: full != nil)
            }
        } else {
            for entry in full?.added_tokens ?? [] {
                guard let id = entry.id else {
                    throw TokenizerError(
                        .damaged, "the added token \"\(entry.content)\" has no id", file: fullFile.path)
                }
                try add(entry, id: id, file: fullFile.path, isFast: true)
            }
        }
        let listFile = directory.appendingPathComponent("added_tokens.json")
        let list: [String: Int]? = try decodeJSON(listFile)
        for (content, id) in list ?? [:] {
            try add(content, Token(id: id, isSpecial: true, file: listFile.path))
        }
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
        guard (0...Int(Int32.max)).contains(token.id), !content.isEmpty,
            !tokens.values.contains(where: { $0.id == token.id })
        else {
            throw TokenizerError(
                .damaged, "the added token \"\(content)\" cannot have the id \(token.id); it is taken or not possible",
                file: token.file)
        }
        tokens[content] = token
    }

    /// - Parameter isFast: Whether the tokenizer is one of `tokenizer.json`; others do not ask whether a token is normalised.
    private mutating func add(_ entry: Entry, id: Int, file: String, isFast: Bool) throws(TokenizerError) {
        guard entry.lstrip != true, entry.rstrip != true, entry.single_word != true else {
            throw TokenizerError(
                .unsupported,
                "the added token \"\(entry.content)\" strips spaces or asks for word boundaries, which is not built; "
                    + "LLaVA-1.5's tokens do neither", file: file)
        }
        guard entry.normalized != true || !isFast else {
            throw TokenizerError(
                .unsupported,
                "the added token \"\(entry.content)\" is looked for behind the normaliser (normalized is true), which is not "
                    + "built; LLaVA-1.5's tokens are looked for in the text itself", file: file)
        }
        try add(entry.content, Token(id: id, isSpecial: entry.special ?? true, file: file))
    }
}

/// What is read of `tokenizer_config.json`.
private struct Configuration: Decodable {
    var add_bos_token: Bool?
    var added_tokens_decoder: [String: Entry]?
}

/// What is read of `tokenizer.json`.
private struct FullTokenizer: Decodable {
    struct Step: Decodable {
        struct Pattern: Decodable { var String: String? }

        var type: String
        var prepend: String?
        var pattern: Pattern?
        var content: String?
        var prepend_scheme: String?
        var normalizers: [Step]?
    }

    var added_tokens: [Entry]?
    var normalizer: Step?
    var pre_tokenizer: Step?

    /// Refuses a form that gives other ids than SentencePiece gives for each text between added tokens: `▁` goes in front of
    /// every such text, and spaces become `▁`. This file counts, whatever `legacy` says beside it.
    func checkForm(_ path: String) throws(TokenizerError) {
        let steps = normalizer?.normalizers ?? [normalizer].compactMap(\.self)
        let isLegacy =
            steps.map(\.type) == ["Prepend", "Replace"] && steps[0].prepend == "▁" && steps[1].content == "▁"
            && steps[1].pattern?.String == " "
        guard !isLegacy || pre_tokenizer != nil else { return }
        let form =
            ([pre_tokenizer].compactMap(\.self) + steps).map { step in
                step.type + (step.prepend_scheme.map { " (prepend_scheme \($0))" } ?? "")
            }.joined(separator: ", ")
        throw TokenizerError(
            .unsupported,
            "it splits texts by \(form.isEmpty ? "no step" : form), which gives other ids than LLaVA-1.5's form (Prepend, Replace) "
                + "and is not built; save the tokenizer in that form", file: path)
    }
}

/// An added token as both files write it.
private struct Entry: Decodable {
    var id: Int?
    var content: String
    var special: Bool?
    var normalized: Bool?
    var lstrip: Bool?
    var rstrip: Bool?
    var single_word: Bool?
}

/// The contents of a JSON file, nil where there is none.
private func decodeJSON<Value: Decodable>(_ url: URL) throws(TokenizerError) -> Value? {
    guard FileManager.default.fileExists(atPath: url.path) else { return nil }
    let data: Data
    do {
        data = try Data(contentsOf: url)
    } catch {
        let why = error.localizedDescription
        throw TokenizerError(.unreadable, "cannot be read (\(why)); check its permissions", file: url.path)
    }
    do {
        return try JSONDecoder().decode(Value.self, from: data)
    } catch {
        throw TokenizerError(.damaged, "is not the JSON it should be (\(error)); download it again", file: url.path)
    }
}
