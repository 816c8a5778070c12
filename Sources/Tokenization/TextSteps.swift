import Foundation

/// The steps of a `tokenizer.json` between a text and the words that are merged; each is the step of that name there.
enum NormalizerStep: Equatable, Sendable {
    /// Puts a text in front, unless there is nothing to put it in front of.
    case prepend(String)
    /// Writes one text for another.
    case replace(String, with: String)
    /// Composes characters (Unicode normalization form C).
    case nfc

    /// The text behind this step.
    func apply(_ text: String) -> String {
        switch self {
        case .prepend(let front): text.isEmpty ? text : front + text
        case .replace(let old, let new): text.replacingScalars(old, with: new)
        case .nfc: text.precomposedStringWithCanonicalMapping
        }
    }
}

/// How a normalised text is cut into words.
enum WordDivision: Equatable, Sendable {
    /// The text is one word.
    case none
    /// Spaces become `▁`, and one goes in front where the scheme says so and none is there; the text stays one word.
    case metaspace(PrependScheme)
    /// Words of a pattern, written in ``ByteLetters``.
    case byteLevel(WordPattern)

    /// Where `▁` goes in front.
    enum PrependScheme: String, Sendable {
        /// Of what starts the whole text.
        case first
        /// Of every text between added tokens.
        case always
        case never
    }
}

extension String {
    /// The text with every occurrence of `old` replaced; scalars count, not characters.
    func replacingScalars(_ old: String, with new: String) -> String {
        let old = Array(old.utf8), bytes = Array(utf8)
        guard let first = old.first else { return self }
        var result: [UInt8] = []
        result.reserveCapacity(bytes.count)
        var place = 0
        while place < bytes.count {
            if bytes[place] == first, bytes[place...].starts(with: old) {
                result += new.utf8
                place += old.count
            } else {
                result.append(bytes[place])
                place += 1
            }
        }
        return String(decoding: result, as: UTF8.self)
    }
}
