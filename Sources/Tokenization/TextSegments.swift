/// Cuts text at added tokens: the leftmost first, and of those that start together the longest.
struct TextSegments: Sendable {
    /// A stretch of a text.
    enum Segment: Equatable {
        case text(String)
        case token(Int)
    }

    /// A token to look for.
    struct Token: Equatable, Sendable {
        /// Its id.
        var id: Int
        /// Whether white space before it belongs to it.
        var takesSpaceBefore = false
        /// Whether white space behind it belongs to it.
        var takesSpaceBehind = false
        /// Whether the text is this token only if no letter, digit or underscore touches it.
        var isWholeWord = false
    }

    /// For each first byte the tokens that start with it, longest first.
    private let tokens: [UInt8: [(text: [UInt8], token: Token)]]

    /// A splitter for the given tokens by text.
    init(_ entries: [String: Token]) {
        var tokens: [UInt8: [(text: [UInt8], token: Token)]] = [:]
        for (text, token) in entries {
            let bytes = Array(text.utf8)
            if let first = bytes.first { tokens[first, default: []].append((bytes, token)) }
        }
        self.tokens = tokens.mapValues { $0.sorted { $0.text.count > $1.text.count } }
    }

    /// A splitter for tokens that take nothing around them.
    init(_ ids: [String: Int]) { self.init(ids.mapValues { Token(id: $0) }) }

    /// The segments of a text, in order; none is empty.
    func split(_ text: String) -> [Segment] {
        var left = Int.max
        return split(text, limiting: -1, to: &left)
    }

    /// The segments of a text, in order; none is empty. Of the token `limited` at most `left` are found, the first ones; the
    /// rest is text. `left` is how many may still be found.
    func split(_ text: String, limiting limited: Int, to left: inout Int) -> [Segment] {
        if tokens.isEmpty { return text.isEmpty ? [] : [.text(text)] }
        let bytes = Array(text.utf8)
        var segments: [Segment] = []
        var start = 0, position = 0
        func flush(to end: Int) {
            if start < end { segments.append(.text(String(decoding: bytes[start..<end], as: UTF8.self))) }
        }
        while position < bytes.count {
            let match = tokens[bytes[position]]?.first {
                (left > 0 || $0.token.id != limited) && bytes[position...].starts(with: $0.text)
            }
            guard let match else {
                position += 1
                continue
            }
            let found = position..<position + match.text.count
            position = found.upperBound
            guard !match.token.isWholeWord || Self.isWord(found, of: bytes) else { continue }
            let before = match.token.takesSpaceBefore ? Self.spaces(before: found.lowerBound, in: bytes) : 0
            flush(to: max(start, found.lowerBound - before))
            segments.append(.token(match.token.id))
            if match.token.id == limited { left -= 1 }
            if match.token.takesSpaceBehind { position += Self.spaces(behind: position, in: bytes) }
            start = position
        }
        flush(to: bytes.count)
        return segments
    }

    /// Whether the neighbours of `range` are no parts of words.
    private static func isWord(_ range: Range<Int>, of bytes: [UInt8]) -> Bool {
        let before = String(decoding: bytes[..<range.lowerBound].suffix(4), as: UTF8.self).unicodeScalars.last
        let behind = String(decoding: bytes[range.upperBound...].prefix(4), as: UTF8.self).unicodeScalars.first
        return before?.isWordCharacter != true && behind?.isWordCharacter != true
    }

    /// How many bytes of white space stand before a place.
    private static func spaces(before place: Int, in bytes: [UInt8]) -> Int {
        var start = place
        while start > 0 {
            var first = start - 1
            while first > 0, UTF8.isContinuation(bytes[first]) { first -= 1 }
            guard isSpace(bytes[first..<start]) else { break }
            start = first
        }
        return place - start
    }

    /// How many bytes of white space stand behind a place.
    private static func spaces(behind place: Int, in bytes: [UInt8]) -> Int {
        var end = place
        while end < bytes.count {
            var next = end + 1
            while next < bytes.count, UTF8.isContinuation(bytes[next]) { next += 1 }
            guard isSpace(bytes[end..<next]) else { break }
            end = next
        }
        return end - place
    }

    private static func isSpace(_ bytes: ArraySlice<UInt8>) -> Bool {
        String(decoding: bytes, as: UTF8.self).unicodeScalars.first?.properties.isWhitespace == true
    }
}
