import Foundation

/// What the public scorers of short answers do to a text before they compare it: punctuation, numbers, articles,
/// contractions.
///
/// Works on Unicode scalars, as the official Python programs do, so that results are equal for any text. Their quirks
/// stay, because published numbers were made with them.
public enum AnswerNormaliser: Sendable, CaseIterable {
    /// EvalAI's, for TextVQA and for the files that LLaVA uploads for VQAv2 and VizWiz: lower case first, commas and
    /// question marks go, a possessive s stands alone.
    case evalAI
    /// The VQA evaluation's: the text as it is; punctuation inside words goes only where a comma stands inside a number.
    case vqa

    /// The text as it is compared.
    public func callAsFunction(_ answer: String) -> String {
        switch self {
        case .evalAI:
            let text = answer.lowercased().unicodeScalars.filter { $0 != "," && $0 != "?" }
            return Self.words(Self.withoutPunctuation(Self.tidy(Self.separatingPossessive(Array(text)))))
        case .vqa: return Self.words(Self.withoutPunctuation(Self.tidy(Array(answer.unicodeScalars))))
        }
    }

    /// Line feeds and tabs become spaces, white space around goes: all that is done to answers that agree.
    public static func tidy(_ answer: String) -> String { String(scalars: tidy(Array(answer.unicodeScalars))) }

    private static func tidy(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        text.map { $0 == "\n" || $0 == "\t" ? " " : $0 }.trimmed()
    }

    /// A space before every `'s`.
    private static func separatingPossessive(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        var result: [Unicode.Scalar] = []
        for (place, scalar) in text.enumerated() {
            if scalar == "'", place + 1 < text.count, text[place + 1] == "s" { result.append(" ") }
            result.append(scalar)
        }
        return result
    }

    /// A mark that stands beside a space somewhere is deleted everywhere, any other becomes a space; full stops go
    /// except before digits.
    private static func withoutPunctuation(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        let hasCommaInNumber = text.indices.dropFirst().dropLast().contains {
            text[$0] == "," && text[$0 - 1].isDigit && text[$0 + 1].isDigit
        }
        var besideSpace: Set<Unicode.Scalar> = []
        for (left, right) in zip(text, text.dropFirst()) {
            if right == " " { besideSpace.insert(left) }
            if left == " " { besideSpace.insert(right) }
        }
        let replaced: [Unicode.Scalar] = text.compactMap { scalar in
            guard marks.contains(scalar) else { return scalar }
            return hasCommaInNumber || besideSpace.contains(scalar) ? nil : " "
        }
        // The official call passes a flag, 32, where the number of replacements belongs.
        var left = 32
        return replaced.indices.compactMap { place in
            let isLast = place + 1 == replaced.count
            guard left > 0, replaced[place] == ".", isLast || !replaced[place + 1].isDigit else {
                return replaced[place]
            }
            left -= 1
            return nil
        }
    }

    private static let marks = Set(#";/[]"{}()=+\_-><@`,?!"#.unicodeScalars)

    private static func words(_ text: [Unicode.Scalar]) -> String {
        let words = String(scalars: text).lowercased().unicodeScalars.split(whereSeparator: \.isPythonSpace)
        return words.map { numbers[String($0)] ?? String($0) }
            .filter { !["a", "an", "the"].contains($0) }
            .map { contractions[$0] ?? $0 }
            .joined(separator: " ")
    }

    private static let numbers = [
        "none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
        "seven": "7", "eight": "8", "nine": "9", "ten": "10",
    ]
}

extension Unicode.Scalar {
    /// What Python's `\d` matches.
    fileprivate var isDigit: Bool { properties.generalCategory == .decimalNumber }

    /// What Python's `str.split` and `str.strip` take for white space.
    var isPythonSpace: Bool { properties.isWhitespace || ("\u{1C}"..."\u{1F}").contains(self) }
}

extension [Unicode.Scalar] {
    /// Without white space at both ends.
    fileprivate func trimmed() -> Self {
        guard let first = firstIndex(where: { !$0.isPythonSpace }), let last = lastIndex(where: { !$0.isPythonSpace })
        else { return [] }
        return Array(self[first...last])
    }
}

extension String {
    fileprivate init(scalars: some Sequence<Unicode.Scalar>) {
        self.init(String.UnicodeScalarView(scalars))
    }

    /// Equal scalar by scalar, as Python compares: an accent as a letter of its own makes a difference.
    func isIdentical(to other: String) -> Bool { utf8.elementsEqual(other.utf8) }
}
