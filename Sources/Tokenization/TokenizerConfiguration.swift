import Foundation

/// What `tokenizer_config.json` and `special_tokens_map.json` say about a tokenizer, as transformers 4.57 takes it.
struct TokenizerConfiguration {
    /// The path of `tokenizer_config.json`, whether it is there or not.
    let file: String
    /// The entries of `added_tokens_decoder` by id; nil if the file has none.
    let addedTokens: [(id: Int, entry: JSONValue)]?
    /// The texts that are special whatever an entry says, each with its entry if it is written as one, in their order.
    let special: [(content: String, entry: JSONValue?)]
    private let values: JSONValue

    /// Reads the files of a folder that are there.
    init(directory: URL) throws(TokenizerError) {
        let url = directory.appendingPathComponent("tokenizer_config.json")
        file = url.path
        var members = try JSONValue.object(in: url)?.object ?? [:]
        if members["added_tokens_decoder"] == nil || members["added_tokens_decoder"] == .null {
            // Only of files from before that key; there it counts before the configuration.
            let map = directory.appendingPathComponent("special_tokens_map.json")
            for (key, value) in try JSONValue.object(in: map)?.object ?? [:] where value != .null {
                members[key] = value
            }
        }
        let values = JSONValue.object(members)
        self.values = values
        try Self.checkTypes(values, file: file)
        if let decoder = values["added_tokens_decoder"]?.object {
            var entries: [(id: Int, entry: JSONValue)] = []
            for (key, entry) in decoder {
                guard let id = Int(key) else {
                    throw TokenizerError(
                        .damaged, "added_tokens_decoder has the id \"\(key)\"; it must be a number", file: url.path)
                }
                entries.append((id, entry))
            }
            addedTokens = entries.sorted { $0.id < $1.id }
        } else {
            addedTokens = nil
        }
        let extra =
            values["extra_special_tokens"]?.array
            ?? values["extra_special_tokens"]?.object?.sorted { $0.key < $1.key }.map(\.value) ?? []
        let all = Self.tokens.compactMap { values[$0] } + (values["additional_special_tokens"]?.array ?? []) + extra
        special = all.compactMap { value in
            Self.content(of: value).map { ($0, value.object == nil ? nil : value) }
        }
    }

    /// The keys that hold a token: its text, or an object with its text as `content`.
    private static let tokens = ["bos", "eos", "unk", "sep", "pad", "cls", "mask"].map { "\($0)_token" }

    /// Refuses a value that cannot be meant, such as a list for a truth value.
    private static func checkTypes(_ values: JSONValue, file: String) throws(TokenizerError) {
        func check(_ keys: [String], _ what: String, _ isMeant: (JSONValue) -> Bool) throws(TokenizerError) {
            for key in keys {
                guard let value = values[key], !isMeant(value) else { continue }
                throw TokenizerError(.damaged, "\(key) must be \(what)", file: file)
            }
        }
        try check(
            [
                "add_bos_token", "add_eos_token", "add_prefix_space", "clean_up_tokenization_spaces", "legacy",
                "split_special_tokens",
            ], "true or false"
        ) { $0.bool != nil }
        try check(tokens, "a text, or an object with a content") { content(of: $0) != nil }
        try check(["tokenizer_class"], "a text") { $0.text != nil }
        try check(["added_tokens_decoder"], "an object") { $0.object != nil }
        func areTokens(_ list: [JSONValue]) -> Bool { list.allSatisfy { content(of: $0) != nil } }
        try check(["additional_special_tokens"], "a list of tokens") { $0.array.map(areTokens) == true }
        try check(["extra_special_tokens"], "a list or an object of tokens") { value in
            (value.array ?? value.object.map { Array($0.values) }).map(areTokens) ?? false
        }
    }

    /// Refuses what a folder without `tokenizer.json` may not ask for. `legacy` says nothing there: the models were trained
    /// with a space in front of every text between added tokens, and their authors' code puts it there.
    ///
    /// - Parameters:
    ///   - model: The markers and pieces of `tokenizer.model`.
    ///   - added: The texts of added tokens.
    func checkModel(_ model: SentencePieceModel, added: Set<String>) throws(TokenizerError) {
        let name = values["tokenizer_class"]?.text
        guard [nil, "LlamaTokenizer", "LlamaTokenizerFast"].contains(name) else {
            throw needsFile("tokenizer_class is \(name ?? "")")
        }
        for (key, usual) in [
            ("add_prefix_space", true), ("add_eos_token", false), ("split_special_tokens", false),
        ] {
            if let value = values[key]?.bool, value != usual { throw needsFile("\(key) is \(value)") }
        }
        let marker = model.beginning.flatMap { model.markers[$0] }
        if addsBeginning, let marker, let wanted = try beginningText(), wanted != marker {
            throw needsFile("bos_token is \(wanted), and the model begins texts with \(marker)")
        }
        let known = added.union(model.markers.values)
        if let other = special.first(where: { !known.contains($0.content) }) {
            throw needsFile("\"\(other.content)\" is named as a special token and is none of the model's")
        }
    }

    /// The text of `bos_token`; nil if nobody names one. Throws where it is null and asked for.
    private func beginningText() throws(TokenizerError) -> String? {
        if isNull("bos_token") { throw refusal("add_bos_token is true, and bos_token is null") }
        return Self.content(of: values["bos_token"])
    }

    private func needsFile(_ what: String) -> TokenizerError {
        TokenizerError(
            .unsupported,
            "\(what), which is not supported for a tokenizer.model; save a tokenizer.json with transformers beside it",
            file: file)
    }

    /// Whether a beginning token goes in front of texts: it does where nobody says, and does not where that is null.
    var addsBeginning: Bool {
        isNull("add_bos_token") ? false : values["add_bos_token"]?.bool ?? true
    }

    /// Whether a key is there and null, which is not the same as a key that is not there.
    private func isNull(_ key: String) -> Bool { values.object?[key] == .null }

    /// Whether decoded texts lose the spaces before punctuation (`clean_up_tokenization_spaces`).
    var cleansSpaces: Bool { values["clean_up_tokenization_spaces"]?.bool ?? false }

    /// What goes in front of every text of a `tokenizer.json`: nil for what its post-processor says, else a text, which is
    /// empty if nothing does.
    ///
    /// The class decides: transformers' `LlamaTokenizer` replaces the post-processor by `add_bos_token` and `bos_token`, the
    /// others keep it.
    func beginning(of form: TokenizerFile.Form, postProcessor: [Int]) throws(TokenizerError) -> String? {
        let name = values["tokenizer_class"]?.text
        guard values["split_special_tokens"]?.bool != true else { throw refusal("split_special_tokens is true") }
        switch name {
        case "PreTrainedTokenizerFast", "Qwen2Tokenizer", "Qwen2TokenizerFast": return nil
        case "TokenizersBackend":
            if let isAdded = values["add_bos_token"]?.bool, isAdded == postProcessor.isEmpty {
                throw refusal("add_bos_token is \(isAdded), and the post_processor of tokenizer.json does otherwise")
            }
            if values["add_eos_token"]?.bool == true { throw refusal("add_eos_token is true") }
            return nil
        case nil where form != .byteLevel, "LlamaTokenizer", "LlamaTokenizerFast":
            try checkPrefix(of: form)
            if values["add_eos_token"]?.bool == true { throw refusal("add_eos_token is true") }
            return addsBeginning ? try beginningText() ?? "<s>" : ""
        default:
            throw refusal("tokenizer_class is \(name ?? "not said")")
        }
    }

    /// `add_prefix_space` makes `LlamaTokenizer` build the steps of tokenizer.json anew.
    private func checkPrefix(of form: TokenizerFile.Form) throws(TokenizerError) {
        guard let isWanted = values["add_prefix_space"]?.bool else { return }
        let rebuilt: TokenizerFile.Form = values["legacy"]?.bool == false ? .metaspace(.first) : .legacy
        guard isWanted, form == rebuilt else {
            throw refusal("add_prefix_space is \(isWanted), which is another form than that of tokenizer.json")
        }
    }

    private func refusal(_ what: String) -> TokenizerError {
        TokenizerError(
            .unsupported,
            "\(what), which is not supported; supported are LlamaTokenizer, PreTrainedTokenizerFast, Qwen2Tokenizer and "
                + "TokenizersBackend with at most one token in front of a text", file: file)
    }

    private static func content(of value: JSONValue?) -> String? { value?.text ?? value?["content"]?.text }
}
