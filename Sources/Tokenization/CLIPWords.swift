/// The words that CLIP's vocabulary was made of, of a text in lower case: an English contraction's ending, a run of
/// letters, one digit, or a run of other signs; spaces only divide.
///
///     's|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+        (Radford et al. 2021)
struct CLIPWords: Sequence, IteratorProtocol {
    private let scalars: [Unicode.Scalar]
    private var position = 0

    /// The words of `text`.
    init(_ text: String) { scalars = Array(text.unicodeScalars) }

    /// The next word as UTF-8.
    mutating func next() -> [UInt8]? {
        while position < scalars.count, scalars[position].wordKind == .space { position += 1 }
        guard position < scalars.count else { return nil }
        let start = position, kind = scalars[start].wordKind
        if let ending = Self.endings.first(where: { scalars[start...].starts(with: $0) }) {
            position += ending.count
        } else {
            position += 1
            while kind != .number, position < scalars.count, scalars[position].wordKind == kind { position += 1 }
        }
        return Array(String(String.UnicodeScalarView(scalars[start..<position])).utf8)
    }

    private static let endings = ["'s", "'t", "'re", "'ve", "'m", "'ll", "'d"].map { Array($0.unicodeScalars) }
}
