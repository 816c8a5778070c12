internal import JobVocabulary
internal import Yams

/// A key of a mapping in a batch file and the property of `Root` that it sets: how it is read, and how it is written.
struct BatchKey<Root>: Sendable {
    typealias Property<Value> = any WritableKeyPath<Root, Value> & Sendable
    typealias Reading = @Sendable (YAMLSection, inout Root, inout ManifestProblems) -> Void

    let name: String
    /// Sets the property where the key is there and its value fits; adds to the problems where that does not fit.
    let read: Reading
    /// The value in a batch file; nil if the property says nothing.
    let write: @Sendable (Root) -> Node?

    /// One word out of a set.
    static func choice<Value: RawRepresentable & CaseIterable & Sendable>(
        _ name: String, _ property: Property<Value>
    ) -> BatchKey where Value.RawValue == String {
        BatchKey(
            name: name, read: reading(property) { $0.choice(name, Value.self, &$1) },
            write: { .text($0[keyPath: property].rawValue) })
    }

    /// One word out of a set, or none.
    static func choice<Value: RawRepresentable & CaseIterable & Sendable>(
        _ name: String, _ property: Property<Value?>
    ) -> BatchKey where Value.RawValue == String {
        BatchKey(
            name: name, read: reading(property) { $0.choice(name, Value.self, &$1) },
            write: { $0[keyPath: property].map { .text($0.rawValue) } })
    }

    /// A whole number within a range.
    static func integer<Value: FixedWidthInteger & Sendable>(
        _ name: String, _ property: Property<Value>, _ range: ClosedRange<Value>
    ) -> BatchKey {
        BatchKey(
            name: name, read: reading(property) { $0.integer(name, range, &$1) },
            write: { .plain($0[keyPath: property]) })
    }

    /// A whole number within a range, or none.
    static func integer<Value: FixedWidthInteger & Sendable>(
        _ name: String, _ property: Property<Value?>, _ range: ClosedRange<Value>
    ) -> BatchKey {
        BatchKey(
            name: name, read: reading(property) { $0.integer(name, range, &$1) },
            write: { $0[keyPath: property].map { .plain($0) } })
    }

    /// A finite number for which a rule holds.
    static func number(
        _ name: String, _ property: Property<Double>, _ rule: String, where holds: @escaping @Sendable (Double) -> Bool
    ) -> BatchKey {
        BatchKey(
            name: name, read: reading(property) { $0.number(name, rule, &$1, where: holds) },
            write: { .plain($0[keyPath: property]) })
    }

    /// A key whose value is `true` or `false`.
    static func flag(_ name: String, _ property: Property<Bool>) -> BatchKey {
        BatchKey(
            name: name, read: reading(property) { $0.flag(name, &$1) }, write: { .plain($0[keyPath: property]) })
    }

    /// A value that is written as a text, or none; `expected` says what fits.
    static func value<Value: LosslessStringConvertible & Sendable>(
        _ name: String, _ property: Property<Value?>, _ expected: String
    ) -> BatchKey {
        BatchKey(
            name: name, read: reading(property) { $0.value(name, expected, &$1) },
            write: { $0[keyPath: property].map { .text($0.description) } })
    }

    /// A list of texts.
    static func texts(_ name: String, _ property: Property<[String]>) -> BatchKey {
        BatchKey(
            name: name, read: reading(property) { $0.texts(name, &$1) },
            write: { Node($0[keyPath: property].map { .text($0) }) })
    }

    /// Keys that users choose freely, each with a text; no key in the file if there are none.
    static func words(_ name: String, _ property: Property<[String: String]>) -> BatchKey {
        BatchKey(
            name: name,
            read: { section, root, problems in
                guard let inner = section.section(name, known: nil, &problems) else { return }
                for key in inner.keys { root[keyPath: property][key] = inner.text(key, &problems) }
            },
            write: { root in
                let words = root[keyPath: property]
                return words.isEmpty ? nil : .words(words)
            })
    }

    /// A mapping with keys of its own.
    static func group<Value>(
        _ name: String, _ property: Property<Value>, _ keys: [BatchKey<Value>]
    ) -> BatchKey {
        BatchKey(
            name: name,
            read: { section, root, problems in
                guard let inner = section.section(name, known: keys.map(\.name), &problems) else { return }
                for key in keys { key.read(inner, &root[keyPath: property], &problems) }
            },
            write: { root in .mapping(keys, of: root[keyPath: property]) })
    }

    /// A text that depends on more than its own key, so that ``BatchFileReader`` reads it.
    static func readApart(_ name: String, _ write: @escaping @Sendable (Root) -> Node?) -> BatchKey {
        BatchKey(name: name, read: { _, _, _ in }, write: write)
    }

    private static func reading<Value>(
        _ property: Property<Value>,
        _ value: @escaping @Sendable (YAMLSection, inout ManifestProblems) -> Value?
    ) -> Reading {
        { section, root, problems in
            if let value = value(section, &problems) { root[keyPath: property] = value }
        }
    }

    private static func reading<Value>(
        _ property: Property<Value?>,
        _ value: @escaping @Sendable (YAMLSection, inout ManifestProblems) -> Value?
    ) -> Reading {
        { section, root, problems in
            if let value = value(section, &problems) { root[keyPath: property] = value }
        }
    }
}

extension Node {
    /// A text that stays a text when read back, whatever it looks like.
    static func text(_ value: String) -> Node { Node(value, Tag(.str), .doubleQuoted) }

    /// A number or a truth value.
    static func plain(_ value: some CustomStringConvertible) -> Node { Node(value.description, .implicit, .plain) }

    /// A mapping of texts, sorted by their keys.
    static func words(_ words: [String: String]) -> Node {
        Node(words.sorted { $0.key < $1.key }.map { (.text($0.key), .text($0.value)) })
    }

    /// What `keys` write of `root`, in their order.
    static func mapping<Root>(_ keys: [BatchKey<Root>], of root: Root) -> Node {
        Node(keys.compactMap { key in key.write(root).map { (.plain(key.name), $0) } })
    }

    /// Where a value at `path` differs from an older one, as `path: old → new`, key by key.
    static func differences(_ path: String, from old: Node?, to new: Node?) -> [String] {
        if case .mapping(let older)? = old, case .mapping(let newer)? = new {
            let names = newer.keys.map { $0 } + older.keys.filter { newer[$0] == nil }
            return names.flatMap { name in
                differences("\(path).\(name.scalar?.string ?? "")", from: older[name], to: newer[name])
            }
        }
        return old == new ? [] : ["\(path): \(shown(old)) → \(shown(new))"]
    }

    private static func shown(_ node: Node?) -> String {
        switch node {
        case nil: "none"
        case .scalar(let scalar)?: scalar.string
        case .sequence(let sequence)?: "[\(sequence.map { shown($0) }.joined(separator: ", "))]"
        case .mapping(let mapping)?:
            mapping.map { "\(shown($0.key)): \(shown($0.value))" }.joined(separator: ", ")
        case .alias?: "an alias"
        }
    }
}
