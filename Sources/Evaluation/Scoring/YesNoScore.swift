/// POPE's score of answers to "is there …?" (Li et al., EMNLP 2023; LLaVA's `eval_pope.py`): how well "yes" is said.
public struct YesNoScore: Sendable, Hashable {
    /// Said yes, rightly.
    public private(set) var truePositives = 0
    /// Said yes, wrongly.
    public private(set) var falsePositives = 0
    /// Said no, wrongly.
    public private(set) var falseNegatives = 0
    /// Said no, rightly.
    public private(set) var trueNegatives = 0

    /// No answer yet.
    public init() {}

    /// Counts one answer; any label but `no` means yes.
    public mutating func count(_ text: String, label: String) {
        switch (Self.saysYes(text), label != "no") {
        case (true, true): truePositives += 1
        case (true, false): falsePositives += 1
        case (false, true): falseNegatives += 1
        case (false, false): trueNegatives += 1
        }
    }

    /// Whether an answer counts as yes: unless one of the words before its first full stop is `No`, `no` or `not`.
    public static func saysYes(_ text: String) -> Bool {
        let sentence = text.unicodeScalars.prefix { $0 != "." }.filter { $0 != "," }
        let words = sentence.split(separator: " ").map { String(String.UnicodeScalarView($0)) }
        return !words.contains { ["No", "no", "not"].contains($0) }
    }

    /// All answers.
    public var total: Int { truePositives + falsePositives + falseNegatives + trueNegatives }
    /// Of those that said yes, the share that was right; 0 if none did.
    public var precision: Double { Self.share(truePositives, of: truePositives + falsePositives) }
    /// Of those where yes is right, the share that said so; 0 if there is none.
    public var recall: Double { Self.share(truePositives, of: truePositives + falseNegatives) }
    /// Harmonic mean of precision and recall, 0 if both are; the official program stops with an error there.
    public var f1: Double {
        let sum = precision + recall
        return sum > 0 ? 2 * precision * recall / sum : 0
    }
    /// The share that was right.
    public var accuracy: Double { Self.share(truePositives + trueNegatives, of: total) }
    /// The share that said yes.
    public var yesShare: Double { Self.share(truePositives + falsePositives, of: total) }

    private static func share(_ part: Int, of whole: Int) -> Double { whole > 0 ? Double(part) / Double(whole) : 0 }
}
