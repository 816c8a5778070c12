internal import JobVocabulary
internal import Yams

/// The keys of one mapping of a batch file, read with their types; what does not fit is added to the problems.
struct YAMLSection {
    let file: String
    /// Line of the mapping itself.
    let line: Int?
    /// `generation.` within that section, empty at the top.
    let prefix: String
    /// Whether there is no file.
    let isAbsent: Bool
    private var values: [String: Node] = [:]
    private var lines: [String: Int] = [:]

    /// The keys of a file that is not there: none.
    init(absentFrom file: String) {
        self.file = file
        prefix = ""
        line = nil
        isAbsent = true
    }

    /// Takes a mapping apart; `known` nil allows any key.
    init(_ node: Node, file: String, prefix: String = "", known: [String]?, _ problems: inout ManifestProblems) {
        self.file = file
        self.prefix = prefix
        line = node.mark?.line
        isAbsent = false
        guard case .mapping(let mapping) = node else {
            let what = prefix.isEmpty ? "the batch file" : "'\(prefix.dropLast())'"
            problems.add(file, line, "\(what) must have keys and values")
            return
        }
        for (key, value) in mapping {
            guard let name = key.scalar?.string else {
                problems.add(file, key.mark?.line, "a key must be a plain word")
                continue
            }
            if let known, !known.contains(name) {
                problems.add(
                    file, key.mark?.line,
                    "unknown key '\(prefix)\(name)'\(prefix.isEmpty && ["keep", "from_layer"].contains(name) ? " (it belongs under 'method')" : name.guess(among: known)); known are \(known.joined(separator: ", "))"
                )
                continue
            }
            values[name] = value
            lines[name] = key.mark?.line
        }
    }

    /// The keys that are there.
    var keys: [String] { values.keys.sorted() }

    /// Whether a key is there.
    func has(_ key: String) -> Bool { values[key] != nil }

    /// The line of a key.
    func line(of key: String) -> Int? { lines[key] ?? line }

    /// The value of a key as it stands.
    func node(_ key: String) -> Node? { values[key] }

    /// The mapping under a key; nil if the key is not there.
    func section(_ key: String, known: [String]?, _ problems: inout ManifestProblems) -> YAMLSection? {
        values[key].map { YAMLSection($0, file: file, prefix: "\(prefix)\(key).", known: known, &problems) }
    }

    /// A text; numbers and words count as text too.
    func text(_ key: String, _ problems: inout ManifestProblems) -> String? {
        guard let node = values[key] else { return nil }
        guard let scalar = node.scalar, !isNull(scalar), !scalar.string.isEmpty else {
            problems.add(file, line(of: key), "'\(prefix)\(key)' must be a text")
            return nil
        }
        return scalar.string
    }

    /// A whole number within a range.
    func integer<Number: FixedWidthInteger>(
        _ key: String, _ range: ClosedRange<Number>, _ problems: inout ManifestProblems
    ) -> Number? {
        guard let node = values[key] else { return nil }
        guard let word = plainWord(node), let value = Number(word.filter { $0 != "_" }) else {
            problems.add(file, line(of: key), "'\(prefix)\(key)' must be a whole number, not \(shown(node))")
            return nil
        }
        guard range.contains(value) else {
            let limit = value < range.lowerBound ? "at least \(range.lowerBound)" : "at most \(range.upperBound)"
            problems.add(file, line(of: key), "'\(prefix)\(key)' is \(value); it must be \(limit)")
            return nil
        }
        return value
    }

    /// A finite number for which the rule holds.
    func number(
        _ key: String, _ rule: String, _ problems: inout ManifestProblems, where holds: (Double) -> Bool
    ) -> Double? {
        guard let node = values[key] else { return nil }
        guard let word = plainWord(node), let value = Double(word), value.isFinite else {
            problems.add(file, line(of: key), "'\(prefix)\(key)' must be a number, not \(shown(node))")
            return nil
        }
        guard holds(value) else {
            problems.add(file, line(of: key), "'\(prefix)\(key)' is \(word); it must be \(rule)")
            return nil
        }
        return value
    }

    /// `true` or `false`.
    func flag(_ key: String, _ problems: inout ManifestProblems) -> Bool? {
        guard let node = values[key] else { return nil }
        switch plainWord(node) {
        case "true": return true
        case "false": return false
        default:
            problems.add(file, line(of: key), "'\(prefix)\(key)' must be true or false, not \(shown(node))")
            return nil
        }
    }

    /// A value that is written as a text.
    func value<Value: LosslessStringConvertible>(
        _ key: String, _ expected: String, _ problems: inout ManifestProblems
    ) -> Value? {
        guard let node = values[key] else { return nil }
        if let value = node.scalar.flatMap({ Value($0.string) }) { return value }
        problems.add(file, line(of: key), "'\(prefix)\(key)' must be \(expected), not \(shown(node))")
        return nil
    }

    /// One word out of a set.
    func choice<Choice: RawRepresentable & CaseIterable>(
        _ key: String, _ type: Choice.Type, _ problems: inout ManifestProblems
    ) -> Choice? where Choice.RawValue == String {
        guard let node = values[key] else { return nil }
        if let choice = node.scalar.flatMap({ Choice(rawValue: $0.string) }) { return choice }
        let words = Choice.allCases.map(\.rawValue), guess = node.scalar?.string.guess(among: words) ?? ""
        problems.add(
            file, line(of: key),
            "'\(prefix)\(key)' must be one of \(words.joined(separator: ", ")), not \(shown(node))\(guess)")
        return nil
    }

    /// A list of texts; a single text is a list of one.
    func texts(_ key: String, _ problems: inout ManifestProblems) -> [String]? {
        guard let node = values[key] else { return nil }
        var texts: [String]?
        if let scalar = node.scalar, !isNull(scalar) { texts = [scalar.string] }
        if case .sequence(let sequence) = node, sequence.allSatisfy({ $0.scalar != nil }) {
            texts = sequence.compactMap { $0.scalar?.string }
        }
        if let texts, !texts.contains("") { return texts }
        problems.add(
            file, line(of: key),
            texts == nil
                ? "'\(prefix)\(key)' must be a list of texts"
                : "'\(prefix)\(key)' has an empty text, which every answer holds; take it out")
        return nil
    }

    private func plainWord(_ node: Node) -> String? {
        guard let scalar = node.scalar, scalar.style == .plain || scalar.style == .any else { return nil }
        return scalar.string
    }

    private func isNull(_ scalar: Node.Scalar) -> Bool {
        scalar.style != .singleQuoted && scalar.style != .doubleQuoted && ["", "~", "null"].contains(scalar.string)
    }

    private func shown(_ node: Node) -> String {
        switch node {
        case .scalar(let scalar): "'\(scalar.string)'"
        case .mapping: "a group of keys"
        case .sequence: "a list"
        case .alias: "an alias"
        }
    }
}
