internal import Foundation

/// Whether an answer is one of those that its item accepts: the one rule for results, reports and evaluations. Case,
/// articles and punctuation around words do not count.
public enum AcceptedAnswers {
    /// Whether `answer` is one of `accepted`; nil if none is named.
    public static func contain(_ answer: String, _ accepted: [String]) -> Bool? {
        guard !accepted.isEmpty else { return nil }
        let own = words(of: answer)
        return accepted.contains { words(of: $0) == own }
    }

    /// What is compared of a text: two answers are the same where this is equal.
    public static func form(of text: String) -> String { words(of: text).joined(separator: " ") }

    /// What is compared: words in lower case, without the punctuation around them and without articles. Where nothing is left
    /// of a text, its articles count ("A" may be a choice), and where it holds no word, everything but white space.
    private static func words(of text: String) -> [String] {
        let all = text.lowercased().split(whereSeparator: \.isWhitespace).map(String.init)
        let words = all.map(trimmed).filter { !$0.isEmpty }
        let named = words.filter { !articles.contains($0) }
        return !named.isEmpty ? named : !words.isEmpty ? words : all
    }

    private static func trimmed(_ word: String) -> String {
        var inside = word.unicodeScalars[...].drop(while: around.contains)
        while let last = inside.last, last == "." || around.contains(last) { inside.removeLast() }
        return String(inside)
    }

    private static let articles: Set<String> = ["a", "an", "the"]
    /// A sign or a point inside or before a number says something; these never do.
    private static let around = CharacterSet(charactersIn: ",;:!?\"'()[]{}“”‘’«»…")
        .union(CharacterSet(charactersIn: "。，、！？"))
}
