/// A pattern by which byte-level tokenizers cut a text into words before they merge bytes.
///
/// Both are matched here by hand, over Unicode scalars: an English contraction's ending in any case; letters, with one other
/// character in front; digits; other signs, with a space in front and line ends behind; white space up to its last line
/// end; white space but for the last space before a word.
enum WordPattern: Sendable, CaseIterable {
    /// Up to three digits are a word (Llama 3).
    case llama3
    /// Every digit is a word (Qwen 2).
    case qwen2

    /// The pattern as `tokenizer.json` writes it.
    var text: String {
        #"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}\#(self == .llama3 ? "{1,3}" : "")"#
            + #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
    }

    /// The words of a text, as ranges of its scalars; they leave nothing out.
    func words(of scalars: [Unicode.Scalar]) -> [Range<Int>] {
        let kinds = scalars.map(\.wordKind)
        var words: [Range<Int>] = []
        var start = 0
        while start < scalars.count {
            let end = end(of: start, scalars, kinds)
            words.append(start..<end)
            start = end
        }
        return words
    }

    private func end(of start: Int, _ scalars: [Unicode.Scalar], _ kinds: [Unicode.Scalar.WordKind]) -> Int {
        func run(from place: Int, while isPart: (Int) -> Bool) -> Int {
            var place = place
            while place < scalars.count, isPart(place) { place += 1 }
            return place
        }
        func isLineEnd(_ place: Int) -> Bool { scalars[place] == "\r" || scalars[place] == "\n" }

        if let end = Self.contraction(at: start, scalars) { return end }
        let hasFollower = start + 1 < scalars.count
        let mayLead = kinds[start] != .number && !isLineEnd(start)
        if kinds[start] == .letter || mayLead && hasFollower && kinds[start + 1] == .letter {
            return run(from: start + 1) { kinds[$0] == .letter }
        }
        if kinds[start] == .number {
            let most = self == .llama3 ? 3 : 1
            return run(from: start) { kinds[$0] == .number && $0 < start + most }
        }
        if kinds[start] == .other || scalars[start] == " " && hasFollower && kinds[start + 1] == .other {
            let end = run(from: start + 1) { kinds[$0] == .other }
            return run(from: end, while: isLineEnd)
        }
        let end = run(from: start) { kinds[$0] == .space }
        if let last = (start..<end).last(where: isLineEnd) { return last + 1 }
        return end < scalars.count && end > start + 1 ? end - 1 : end
    }

    /// The end of `'s`, `'t`, `'re`, `'ve`, `'m`, `'ll` or `'d` in any case; the long ſ is an s.
    private static func contraction(at start: Int, _ scalars: [Unicode.Scalar]) -> Int? {
        guard scalars[start] == "'", start + 1 < scalars.count else { return nil }
        func small(_ place: Int) -> Unicode.Scalar? {
            guard place < scalars.count else { return nil }
            let scalar = scalars[place]
            if scalar == "\u{17F}" { return "s" }
            return ("A"..."Z").contains(scalar) ? Unicode.Scalar(scalar.value + 32) : scalar
        }
        switch (small(start + 1), small(start + 2)) {
        case ("s", _), ("t", _), ("m", _), ("d", _): return start + 2
        case ("r", "e"), ("v", "e"), ("l", "l"): return start + 3
        default: return nil
        }
    }
}
