/// MME's score of one category (Fu et al. 2023, its `calculation.py`): two yes–no questions about each picture.
public struct MMEScore: Sendable, Hashable {
    /// What an answer says.
    public enum Reply: String, Sendable {
        case yes, no, other

        /// Yes or no where one of them stands within the first four characters, yes first.
        public init(_ text: String) {
            let start = Array(text.lowercased().unicodeScalars.prefix(4))
            func holds(_ word: String) -> Bool {
                start.indices.contains { start[$0...].starts(with: word.unicodeScalars) }
            }
            self = holds("yes") ? .yes : holds("no") ? .no : .other
        }
    }

    private var pictures = 0
    private var rightAnswers = 0
    private var rightPictures = 0

    /// No picture yet.
    public init() {}

    /// Counts one picture with whether each of its two answers was right.
    public mutating func count(_ first: Bool, _ second: Bool) {
        pictures += 1
        rightAnswers += (first ? 1 : 0) + (second ? 1 : 0)
        rightPictures += first && second ? 1 : 0
    }

    /// Share of right answers in per cent, plus share of pictures with both right in per cent; 200 at most.
    public var score: Double {
        guard pictures > 0 else { return 0 }
        return 100 * Double(rightAnswers) / Double(2 * pictures) + 100 * Double(rightPictures) / Double(pictures)
    }

    /// Categories whose scores add up to "perception", 2000 at most.
    public static let perception = [
        "existence", "count", "position", "color", "posters", "celebrity", "scene", "landmark", "artwork", "OCR",
    ]
    /// Categories whose scores add up to "cognition", 800 at most.
    public static let cognition = [
        "commonsense_reasoning", "numerical_calculation", "text_translation", "code_reasoning",
    ]
}
