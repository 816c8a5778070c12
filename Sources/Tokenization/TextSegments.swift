/// Cuts text at added tokens: the leftmost first, and of those that start together the longest.
///
/// It works on raw UTF-8, before any normalisation, as Hugging Face's tokenizers do for tokens with `normalized = false`.
struct TextSegments: Sendable {
    /// A stretch of a text.
    enum Segment: Equatable {
        case text(String)
        case token(Int)
    }

    /// For each first byte the tokens that start with it, longest first.
    private let tokens: [UInt8: [(text: [UInt8], id: Int)]]

    /// A splitter for the given tokens by text.
    init(_ ids: [String: Int]) {
        var tokens: [UInt8: [(text: [UInt8], id: Int)]] = [:]
        for (text, id) in ids {
            let bytes = Array(text.utf8)
            if let first = bytes.first { tokens[first, default: []].append((bytes, id)) }
        }
        self.tokens = tokens.mapValues { $0.sorted { $0.text.count > $1.text.count } }
    }

    /// The segments of a text, in order; none is empty. Of the token `limited` at most `count` are found, the first ones;
    /// the rest is text.
    func split(_ text: String, limiting limited: Int = -1, to count: Int = .max) -> [Segment] {
        let bytes = Array(text.utf8)
        var left = count
        var segments: [Segment] = []
        var start = 0, position = 0
        func flush(to end: Int) {
            if start < end { segments.append(.text(String(decoding: bytes[start..<end], as: UTF8.self))) }
        }
        while position < bytes.count {
            let match = tokens[bytes[position]]?.first {
                (left > 0 || $0.id != limited) && bytes[position...].starts(with: $0.text)
            }
            guard let match else {
                position += 1
                continue
            }
            flush(to: position)
            segments.append(.token(match.id))
            if match.id == limited { left -= 1 }
            position += match.text.count
            start = position
        }
        flush(to: bytes.count)
        return segments
    }
}
