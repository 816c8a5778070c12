import Foundation

/// A `tokenizer.json`: every step of it is obeyed or refused by name.
struct TokenizerFile {
    /// Pieces, merges and the steps around them.
    let vocabulary: BytePairVocabulary
    /// The entries of `added_tokens`.
    let addedTokens: [JSONValue]
    /// The special token in front of every text, by its ids; empty if the post-processor adds none.
    let beginning: [Int]
    /// Where ▁ goes, which some classes of tokenizers decide anew.
    let form: Form

    /// The forms that vocabularies are saved in.
    enum Form: Equatable {
        case legacy
        case metaspace(WordDivision.PrependScheme)
        case byteLevel
        /// A form that is none of the others.
        case other
    }

    /// Reads the bytes of a file; `file` is where they came from, for messages.
    init(_ bytes: [UInt8], file: String) throws(TokenizerError) {
        var reader = try JSONReader(bytes, file: file)
        var members: [String: JSONValue] = [:]
        var model: BytePairModel?
        try reader.beginObject()
        while let key = try reader.nextKey() {
            let name = String(decoding: key, as: UTF8.self)
            guard members[name] == nil else { throw reader.failure("has \"\(name)\" twice") }
            if name == "model" {
                model = try BytePairModel(&reader, file: file)
                members[name] = .null
            } else {
                members[name] = try reader.value()
            }
        }
        try reader.end()
        guard let model else { throw reader.failure("has no model") }
        let top = JSONValue.object(members)
        let steps = TokenizerSteps(file: file)
        try steps.check(
            members, of: "the file",
            known: [
                "version", "added_tokens", "normalizer", "pre_tokenizer", "post_processor", "decoder", "model",
                // What the last batch before saving was cut and filled up to; transformers sets both anew for each text.
                "truncation", "padding",
            ])
        let normalizer = try steps.normalizer(top["normalizer"])
        let division = try steps.division(top["pre_tokenizer"])
        if case .metaspace = division, !normalizer.isEmpty {
            throw steps.refusal("a normalizer together with Metaspace")
        }
        addedTokens = top["added_tokens"]?.array ?? []
        beginning = try steps.beginning(top["post_processor"])
        form =
            switch division {
            case .byteLevel: .byteLevel
            case .metaspace(let scheme): .metaspace(scheme)
            case .none:
                normalizer == [.prepend("\u{2581}"), .replace(" ", with: "\u{2581}")] ? .legacy : .other
            }
        vocabulary = BytePairVocabulary(
            model: model, normalizer: normalizer, division: division, decoder: try steps.decoder(top["decoder"]))
    }
}

extension BytePairModel {
    /// Reads the `model` of a `tokenizer.json`.
    fileprivate init(_ reader: inout JSONReader, file: String) throws(TokenizerError) {
        var members: [String: JSONValue] = [:]
        var ids: [Key: Int32] = [:]
        var merges: [(Key, Key)] = []
        try reader.beginObject()
        while let key = try reader.nextKey() {
            let name = String(decoding: key, as: UTF8.self)
            guard members[name] == nil else { throw reader.failure("has \"\(name)\" twice in its model") }
            members[name] = .null
            if name == "vocab", !reader.isAtArray() {
                ids = try Self.pieces(&reader)
            } else if name == "merges" {
                merges = try Self.merges(&reader)
            } else {
                members[name] = try reader.value()
            }
        }
        let steps = TokenizerSteps(file: file)
        let type = members["type"]?.text ?? "BPE"
        guard type == "BPE" else { throw steps.refusal("a model of the type \(type)") }
        try steps.check(
            members, of: "the model",
            known: ["type", "vocab", "merges", "unk_token", "fuse_unk", "byte_fallback", "ignore_merges"],
            unset: ["dropout", "continuing_subword_prefix", "end_of_word_suffix"])
        guard !ids.isEmpty else { throw reader.failure("has a vocabulary without pieces") }
        let all = JSONValue.object(members)
        let settings = Settings(
            unknown: all["unk_token"]?.text, fusesUnknown: try steps.bool(all, "fuse_unk"),
            hasByteFallback: try steps.bool(all, "byte_fallback"), ignoresMerges: try steps.bool(all, "ignore_merges"))
        try self.init(ids: ids, merges: merges, settings: settings, file: file)
    }

    private static func pieces(_ reader: inout JSONReader) throws(TokenizerError) -> [Key: Int32] {
        var ids: [Key: Int32] = [:]
        try reader.beginObject()
        while let piece = try reader.nextKey() {
            guard let id = Int32(exactly: try reader.integer()), id >= 0 else {
                throw reader.failure(
                    "gives the piece \"\(String(decoding: piece, as: UTF8.self))\" an id that is not possible")
            }
            guard ids.updateValue(id, forKey: Key(bytes: piece)) == nil else {
                throw reader.failure("has the piece \"\(String(decoding: piece, as: UTF8.self))\" twice")
            }
        }
        return ids
    }

    /// Merges as pairs, or as older files write them: `a b`.
    private static func merges(_ reader: inout JSONReader) throws(TokenizerError) -> [(Key, Key)] {
        var merges: [(Key, Key)] = []
        try reader.beginArray()
        while try reader.nextElement() {
            var parts: [Key] = []
            if reader.isAtText() {
                let text = try reader.text()
                if text.starts(with: "#version".utf8) { continue }
                parts = text.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false).map {
                    Key(bytes: Array($0))
                }
            } else {
                try reader.beginArray()
                while try reader.nextElement() { parts.append(Key(bytes: try reader.text())) }
            }
            guard parts.count == 2 else { throw reader.failure("has a merge that is not of two pieces") }
            merges.append((parts[0], parts[1]))
        }
        return merges
    }
}
