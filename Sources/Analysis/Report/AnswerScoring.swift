internal import Foundation

/// Whether an answer is right, for rows that nothing else has scored.
enum AnswerScoring {
    /// How it is said.
    static let name = "exact match with an accepted answer, without case, articles and punctuation"

    /// 1 right, 0 wrong, -1 where the accepted answers are not known.
    ///
    /// - Parameter correct: The score in the shard, which counts where there is one.
    static func score(_ answer: String, expected: [String], correct: Int) -> Int {
        if correct >= 0 { return correct }
        guard !expected.isEmpty else { return -1 }
        let words = words(of: answer)
        return expected.contains { self.words(of: $0) == words } ? 1 : 0
    }

    /// The accepted answers of a row.
    static func expected(_ json: String) -> [String] {
        json.isEmpty ? [] : (try? JSONDecoder().decode([String].self, from: Data(json.utf8))) ?? []
    }

    private static func words(of text: String) -> [String] {
        text.lowercased().split { !$0.isLetter && !$0.isNumber }.map(String.init).filter {
            !["a", "an", "the"].contains($0)
        }
    }
}

/// A share of a sample with its 95 % confidence interval (Wilson 1927).
struct Proportion: Encodable {
    let share, low, high: Double
    let scored: Int
    /// How right and wrong were told apart.
    let by: String

    init(_ right: Int, of count: Int, by: String) {
        let z = 1.959964, n = Double(count), p = Double(right) / n
        let centre = (p + z * z / (2 * n)) / (1 + z * z / n)
        let half = z / (1 + z * z / n) * (p * (1 - p) / n + z * z / (4 * n * n)).squareRoot()
        (share, low, high, scored, self.by) = (p, max(0, centre - half), min(1, centre + half), count, by)
    }
}
