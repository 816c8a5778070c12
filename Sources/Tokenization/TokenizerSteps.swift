/// Reads the steps of a `tokenizer.json` around its model, and refuses by name what is not supported.
struct TokenizerSteps {
    /// Where the steps come from, for messages.
    let file: String

    /// The steps of the `normalizer`, in the order in which they are applied.
    func normalizer(_ value: JSONValue?) throws(TokenizerError) -> [NormalizerStep] {
        var steps: [NormalizerStep] = []
        for step in try members(value, "normalizer", list: "normalizers") {
            switch step["type"]?.text {
            case "Prepend":
                try check(step, known: ["prepend"])
                steps.append(.prepend(try text(step, "prepend")))
            case "Replace": steps.append(try replacement(step))
            case "NFC":
                try check(step, known: [])
                steps.append(.nfc)
            case let type: throw refusal("the normalizer \(type ?? "without a type")")
            }
        }
        return steps
    }

    /// How the pre-tokenizer cuts texts.
    func division(_ value: JSONValue?) throws(TokenizerError) -> WordDivision {
        let steps = try members(value, "pre_tokenizer", list: "pretokenizers")
        let types = steps.map { $0["type"]?.text ?? "without a type" }
        switch types {
        case []: return .none
        case ["Metaspace"]:
            try check(steps[0], known: ["replacement", "prepend_scheme", "split", "str_rep", "add_prefix_space"])
            let name = try text(steps[0], "prepend_scheme")
            guard let scheme = WordDivision.PrependScheme(rawValue: name) else {
                throw refusal("Metaspace with the prepend_scheme \(name)")
            }
            guard steps[0]["replacement"]?.text == "\u{2581}" else {
                throw refusal("Metaspace with another sign than ▁")
            }
            guard steps[0]["split"]?.bool == false else { throw refusal("Metaspace with split true") }
            return .metaspace(scheme)
        case ["Split", "ByteLevel"]:
            try check(steps[0], known: ["pattern", "behavior", "invert"])
            guard let text = steps[0]["pattern"]?["Regex"]?.text,
                let pattern = WordPattern.allCases.first(where: { $0.text.utf8.elementsEqual(text.utf8) })
            else { throw refusal("a Split by another pattern than those of Llama 3 and Qwen 2") }
            guard steps[0]["behavior"]?.text == "Isolated", !(try bool(steps[0], "invert")) else {
                throw refusal("a Split that is not Isolated, or inverted")
            }
            try check(steps[1], known: ["add_prefix_space", "use_regex", "trim_offsets"])
            guard steps[1]["add_prefix_space"]?.bool == false, steps[1]["use_regex"]?.bool == false else {
                throw refusal("ByteLevel with add_prefix_space or use_regex true")
            }
            return .byteLevel(pattern)
        default: throw refusal("the pre_tokenizer \(types.joined(separator: ", "))")
        }
    }

    /// The ids that the post-processor puts in front of a text.
    func beginning(_ value: JSONValue?) throws(TokenizerError) -> [Int] {
        var ids: [Int] = []
        for step in try members(value, "post_processor", list: "processors") {
            switch step["type"]?.text {
            case "ByteLevel": try check(step, known: ["add_prefix_space", "use_regex", "trim_offsets"])
            case "TemplateProcessing":
                try check(step, known: ["single", "pair", "special_tokens"])
                let parts = step["single"]?.array ?? []
                guard parts.last?["Sequence"]?["id"]?.text == "A" else {
                    throw refusal("a post_processor that puts tokens behind the text")
                }
                for part in parts.dropLast() {
                    guard let name = part["SpecialToken"]?["id"]?.text,
                        let these = step["special_tokens"]?[name]?["ids"]?.array?.compactMap(\.integer), !these.isEmpty
                    else { throw refusal("a post_processor that puts something else than tokens in front") }
                    ids += these
                }
            case let type: throw refusal("the post_processor \(type ?? "without a type")")
            }
        }
        guard ids.count < 2 else { throw refusal("a post_processor that puts several tokens in front") }
        guard ids.allSatisfy({ (0...Int(Int32.max)).contains($0) }) else {
            throw TokenizerError(
                .damaged, "its post_processor puts an id that is not possible in front; download the file again",
                file: file)
        }
        return ids
    }

    /// What the decoder makes of tokens.
    func decoder(_ value: JSONValue?) throws(TokenizerError) -> PieceDecoder {
        var decoder = PieceDecoder()
        var isFused = false
        let steps = try members(value, "decoder", list: "decoders")
        for step in steps {
            switch step["type"]?.text {
            case "Replace" where !isFused && !decoder.hasByteFallback:
                decoder.replacements.append(try replacement(step))
            case "ByteFallback" where !isFused:
                try check(step, known: [])
                decoder.hasByteFallback = true
            case "Fuse":
                try check(step, known: [])
                isFused = true
            case "Strip" where isFused && step["content"]?.text == " " && step["stop"]?.integer ?? 0 == 0:
                try check(step, known: ["content", "start", "stop"])
                guard let start = step["start"]?.integer, (0...1000).contains(start), decoder.droppedSpaces == 0 else {
                    throw refusal("a Strip of a number of spaces that is not possible")
                }
                decoder.droppedSpaces = start
            case "ByteLevel" where steps.count == 1:
                try check(step, known: ["add_prefix_space", "use_regex", "trim_offsets"])
                decoder.isByteLevel = true
            case let type:
                throw refusal("the decoder \(type ?? "without a type") with these settings and in this place")
            }
        }
        // Without Fuse the library puts spaces between tokens, unless the decoder is ByteLevel.
        guard isFused || decoder.isByteLevel else { throw refusal("a decoder without ByteLevel or Fuse") }
        return decoder
    }
}

extension TokenizerSteps {
    /// The error of something that the file asks for and that is not supported.
    func refusal(_ what: String) -> TokenizerError {
        TokenizerError(
            .unsupported,
            "it asks for \(what), which is not supported; supported are BPE in SentencePiece's forms (Prepend and Replace, or Metaspace) "
                + "and byte-level BPE as of Llama 3 and Qwen 2: save the tokenizer in such a form", file: file)
    }

    /// Refuses members that nothing is known of, and members of `unset` with a value.
    func check(
        _ members: [String: JSONValue], of whole: String, known: [String], unset: [String] = []
    ) throws(TokenizerError) {
        for (name, value) in members.sorted(by: { $0.key < $1.key }) where !known.contains(name) {
            let isNothing = [.null, .number(0), .text("")].contains(value)
            guard unset.contains(name), isNothing else { throw refusal("\(name) of \(whole)") }
        }
    }

    /// A flag; false where it is not there.
    func bool(_ value: JSONValue, _ name: String) throws(TokenizerError) -> Bool {
        guard let member = value[name] else { return false }
        guard let bool = member.bool else { throw refusal("\(name) with a value that is neither true nor false") }
        return bool
    }

    private func check(_ step: JSONValue, known: [String]) throws(TokenizerError) {
        try check(step.object ?? [:], of: step["type"]?.text ?? "a step", known: ["type"] + known)
    }

    private func text(_ step: JSONValue, _ name: String) throws(TokenizerError) -> String {
        guard let text = step[name]?.text else { throw refusal("\(step["type"]?.text ?? "a step") without \(name)") }
        return text
    }

    private func replacement(_ step: JSONValue) throws(TokenizerError) -> NormalizerStep {
        try check(step, known: ["pattern", "content"])
        guard let old = step["pattern"]?["String"]?.text, !old.isEmpty else {
            throw refusal("Replace by a pattern that is no text")
        }
        let new = try text(step, "content")
        // Steps that each double a text would not end.
        guard new.unicodeScalars.count <= old.unicodeScalars.count else {
            throw refusal("Replace by a longer text, \"\(new.prefix(20))\"")
        }
        return .replace(old, with: new)
    }

    /// The steps of a sequence, or the one step that it is.
    private func members(_ value: JSONValue?, _ name: String, list: String) throws(TokenizerError) -> [JSONValue] {
        guard let value else { return [] }
        guard value["type"]?.text == "Sequence" else { return [value] }
        try check(value, known: [list])
        guard let steps = value[list]?.array else { throw refusal("a \(name) without steps") }
        return steps
    }
}
