/// MMBench's circular evaluation (Liu et al., ECCV 2024): a question counts only if it is answered rightly in every
/// rotation of its options.
///
/// The published table holds the rotations as rows of their own, 1,000,000 apart in `index`.
public struct CircularAccuracy: Sendable, Hashable {
    private var groups: [Int: Bool] = [:]

    /// No row yet.
    public init() {}

    /// Counts the answer to one row: right if it is the letter and nothing else.
    public mutating func count(index: Int, prediction: String, answer: String) {
        groups[Self.question(of: index), default: true] =
            groups[Self.question(of: index), default: true] && Self.isRight(prediction, answer)
    }

    /// Whether one row is answered rightly.
    public static func isRight(_ prediction: String, _ answer: String) -> Bool {
        let scalars = prediction.unicodeScalars
        let start = scalars.drop(while: \.isPythonSpace)
        let trimmed = start.reversed().drop(while: \.isPythonSpace).reversed()
        return String(String.UnicodeScalarView(trimmed)).isIdentical(to: answer)
    }

    /// The number that the rotations of one question share.
    public static func question(of index: Int) -> Int { index % 1_000_000 }

    /// The share of questions answered rightly in all their rotations.
    public var value: Double { groups.isEmpty ? 0 : Double(groups.values.count { $0 }) / Double(groups.count) }
}
