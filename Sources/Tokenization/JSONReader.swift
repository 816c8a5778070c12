/// Reads JSON step by step, so that a vocabulary of a hundred thousand pieces never becomes a tree of values.
///
/// Texts come as UTF-8: Swift takes canonically equivalent texts for equal, and a vocabulary may hold two of them.
struct JSONReader {
    private let bytes: [UInt8]
    private let file: String
    private var position = 0
    /// For every object and array that is open: whether a member of it was read.
    private var open: [Bool] = []

    /// A reader of `bytes`; `file` is where they came from, for messages.
    init(_ bytes: [UInt8], file: String) throws(TokenizerError) {
        self.bytes = bytes
        self.file = file
        guard String(validating: bytes, as: UTF8.self) != nil else { throw failure("is not UTF-8") }
    }

    /// Enters an object.
    mutating func beginObject() throws(TokenizerError) { try begin("{") }

    /// Enters an array.
    mutating func beginArray() throws(TokenizerError) { try begin("[") }

    /// The key of the object's next member, whose value must be read next; nil at the end of the object.
    mutating func nextKey() throws(TokenizerError) -> [UInt8]? {
        guard try nextMember("}") else { return nil }
        let key = try text()
        try expect(":")
        return key
    }

    /// Whether the array has a further element, which must be read next.
    mutating func nextElement() throws(TokenizerError) -> Bool { try nextMember("]") }

    /// Refuses anything but white space behind the value.
    mutating func end() throws(TokenizerError) {
        guard peek() == nil else { throw failure("goes on behind its end") }
    }

    /// Whether an array comes next.
    mutating func isAtArray() -> Bool { peek() == UInt8(ascii: "[") }

    /// Whether a text comes next.
    mutating func isAtText() -> Bool { peek() == UInt8(ascii: "\"") }

    /// A text as UTF-8.
    mutating func text() throws(TokenizerError) -> [UInt8] {
        try expect("\"")
        var text: [UInt8] = []
        var start = position
        while position < bytes.count {
            switch bytes[position] {
            case UInt8(ascii: "\""):
                text += bytes[start..<position]
                position += 1
                return text
            case UInt8(ascii: "\\"):
                text += bytes[start..<position]
                position += 1
                text += try escape().utf8
                start = position
            case 0..<32: throw failure("has a control character in a text")
            default: position += 1
            }
        }
        throw failure("ends within a text")
    }

    /// A number that is whole, within the range of `Int`.
    mutating func integer() throws(TokenizerError) -> Int {
        guard case .number(let number) = try value(), let integer = Int(exactly: number) else {
            throw failure("has something else where a whole number belongs")
        }
        return integer
    }

    /// The value that comes next, of any kind.
    mutating func value() throws(TokenizerError) -> JSONValue {
        guard open.count < 64 else { throw failure("is nested too deep") }
        switch peek() {
        case UInt8(ascii: "{"):
            var members: [String: JSONValue] = [:]
            try beginObject()
            while let key = try nextKey() {
                let name = String(decoding: key, as: UTF8.self)
                guard members[name] == nil else { throw failure("has \"\(name)\" twice") }
                members[name] = try value()
            }
            return .object(members)
        case UInt8(ascii: "["):
            var elements: [JSONValue] = []
            try beginArray()
            while try nextElement() { elements.append(try value()) }
            return .array(elements)
        case UInt8(ascii: "\""): return .text(String(decoding: try text(), as: UTF8.self))
        default: return try word()
        }
    }

    /// The error of a file that is not the JSON it should be.
    func failure(_ what: String) -> TokenizerError {
        TokenizerError(.damaged, "\(what) (byte \(position)); download it again", file: file)
    }
}

extension JSONReader {
    private mutating func peek() -> UInt8? {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 32 || byte == 10 || byte == 13 || byte == 9 else { return byte }
            position += 1
        }
        return nil
    }

    private mutating func expect(_ character: Unicode.Scalar) throws(TokenizerError) {
        guard peek() == UInt8(ascii: character) else { throw failure("is not JSON: there is no \(character)") }
        position += 1
    }

    private mutating func begin(_ character: Unicode.Scalar) throws(TokenizerError) {
        try expect(character)
        open.append(false)
    }

    private mutating func nextMember(_ end: Unicode.Scalar) throws(TokenizerError) -> Bool {
        if peek() == UInt8(ascii: end) {
            position += 1
            open.removeLast()
            return false
        }
        if open[open.count - 1] { try expect(",") }
        open[open.count - 1] = true
        return true
    }

    /// A number, `true`, `false` or `null`.
    private mutating func word() throws(TokenizerError) -> JSONValue {
        let start = position
        while position < bytes.count, !"\t\n\r ,:]}\"".utf8.contains(bytes[position]) { position += 1 }
        let word = String(decoding: bytes[start..<position], as: UTF8.self)
        switch word {
        case "null": return .null
        case "true": return .bool(true)
        case "false": return .bool(false)
        default:
            guard let first = word.utf8.first, first == UInt8(ascii: "-") || (48...57).contains(first),
                let number = Double(word)
            else { throw failure("is not JSON: \"\(word.prefix(40))\" is no value") }
            return .number(number)
        }
    }

    /// The character of an escape sequence, behind its backslash.
    private mutating func escape() throws(TokenizerError) -> String {
        guard position < bytes.count else { throw failure("ends within a text") }
        position += 1
        switch bytes[position - 1] {
        case UInt8(ascii: "n"): return "\n"
        case UInt8(ascii: "t"): return "\t"
        case UInt8(ascii: "r"): return "\r"
        case UInt8(ascii: "b"): return "\u{8}"
        case UInt8(ascii: "f"): return "\u{c}"
        case UInt8(ascii: "u"):
            var units = [try unit()]
            if UTF16.isLeadSurrogate(units[0]), bytes[position...].starts(with: "\\u".utf8) {
                position += 2
                units.append(try unit())
            }
            guard let text = String(validating: units, as: UTF16.self) else {
                throw failure("has half a surrogate pair in a text")
            }
            return text
        case let other where "\"\\/".utf8.contains(other): return String(Unicode.Scalar(other))
        default: throw failure("has an unknown escape sequence in a text")
        }
    }

    private mutating func unit() throws(TokenizerError) -> UInt16 {
        let digits = bytes[position...].prefix(4)
        guard digits.count == 4, digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }),
            let unit = UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
        else { throw failure("has an unknown escape sequence in a text") }
        position += 4
        return unit
    }
}
