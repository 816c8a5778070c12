/// Reads the plain case of a manifest line, about twenty times as fast as a general decoder.
///
/// It takes a flat JSON object of the known keys, each at most once, with nothing wrong about it. For anything else it
/// gives up, and `ItemFields` finds out what it is. Both agree on every line that this one takes.
struct ItemScanner {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    /// The item of a line, or nil if the line needs a closer look.
    static func item(_ json: String) -> Item? {
        var json = json
        return json.withUTF8 { bytes in
            guard bytes.count <= Item.maximumBytes else { return nil }
            var scanner = ItemScanner(bytes)
            return scanner.object()
        }
    }

    private init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private mutating func object() -> Item? {
        var id: String?, images: [String]?, prompt: String?
        var answers: [String]?, labels: [String: String]?, maxTokens: Int?
        guard take(0x7B) else { return nil }
        repeat {
            guard let key = string(), take(0x3A) else { return nil }
            switch key {
            case "id" where id == nil: id = string()
            case "image" where images == nil:
                if null() {
                    images = []
                } else {
                    guard let path = string() else { return nil }
                    images = [path]
                }
            case "images" where images == nil:
                images = strings()
                if images == nil { return nil }
            case "prompt" where prompt == nil: prompt = string()
            case "answers" where answers == nil:
                answers = strings()
                if answers == nil { return nil }
            case "labels" where labels == nil:
                labels = pairs()
                if labels == nil { return nil }
            case "max_tokens" where maxTokens == nil:
                maxTokens = number()
                if maxTokens == nil { return nil }
            default: return nil
            }
        } while take(0x2C)
        guard take(0x7D), isAtEnd, let id, let images, let prompt, Self.isInked(id), Self.isInked(prompt),
            id.utf8.count <= ItemID.maximumBytes
        else { return nil }
        for image in images {
            guard Self.isInked(image), !ImagePath.isURL(image), ImagePath.resolve(image, under: "/") != nil else {
                return nil
            }
        }
        return Item(
            id: ItemID(id), images: images, prompt: prompt, answers: answers ?? [], labels: labels ?? [:],
            maxTokens: maxTokens)
    }

    /// Whether a text certainly holds more than white space.
    private static func isInked(_ text: String) -> Bool {
        text.utf8.first.map { (0x21...0x7E).contains($0) } ?? false || text.contains { !$0.isWhitespace }
    }

    private mutating func skipSpace() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    /// Takes one byte of punctuation, with white space before it.
    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard position < bytes.count, bytes[position] == byte else { return false }
        position += 1
        return true
    }

    private var isAtEnd: Bool { bytes[position...].allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D || $0 == 0x0A } }

    private mutating func null() -> Bool {
        skipSpace()
        guard bytes[position...].starts(with: "null".utf8) else { return false }
        position += 4
        return true
    }

    private mutating func string() -> String? {
        guard take(0x22) else { return nil }
        let start = position
        while position < bytes.count, bytes[position] != 0x22, bytes[position] != 0x5C, bytes[position] >= 0x20 {
            position += 1
        }
        guard position < bytes.count else { return nil }
        if bytes[position] == 0x22 {
            defer { position += 1 }
            return String(decoding: bytes[start..<position], as: UTF8.self)
        }
        var text = Array(bytes[start..<position])
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            switch byte {
            case 0x22: return String(validating: text, as: UTF8.self)
            case 0x5C: guard escape(into: &text) else { return nil }
            case 0..<0x20: return nil
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func escape(into text: inout [UInt8]) -> Bool {
        guard position < bytes.count else { return false }
        let byte = bytes[position]
        position += 1
        switch byte {
        case 0x22, 0x5C, 0x2F: text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            guard var code = hexadecimal(), code != 0 else { return false }
            if (0xD800..<0xDC00).contains(code) {
                guard position + 1 < bytes.count, bytes[position] == 0x5C, bytes[position + 1] == UInt8(ascii: "u")
                else { return false }
                position += 2
                guard let low = hexadecimal(), (0xDC00..<0xE000).contains(low) else { return false }
                code = 0x10000 + (code - 0xD800) << 10 + (low - 0xDC00)
            }
            guard let scalar = Unicode.Scalar(code) else { return false }
            text.append(contentsOf: UTF8.encode(scalar).map(Array.init) ?? [])
        default: return false
        }
        return true
    }

    private mutating func hexadecimal() -> UInt32? {
        guard position + 4 <= bytes.count else { return nil }
        var value: UInt32 = 0
        for byte in bytes[position..<position + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else { return nil }
            value = value << 4 | UInt32(digit)
        }
        position += 4
        return value
    }

    private mutating func strings() -> [String]? {
        guard take(0x5B) else { return nil }
        if take(0x5D) { return [] }
        var list: [String] = []
        repeat {
            guard let text = string() else { return nil }
            list.append(text)
        } while take(0x2C)
        return take(0x5D) ? list : nil
    }

    private mutating func pairs() -> [String: String]? {
        guard take(0x7B) else { return nil }
        if take(0x7D) { return [:] }
        var pairs: [String: String] = [:]
        repeat {
            guard let key = string(), pairs[key] == nil, take(0x3A), let value = string() else { return nil }
            pairs[key] = value
        } while take(0x2C)
        return take(0x7D) ? pairs : nil
    }

    /// A whole number of one to nine digits that does not begin with 0.
    private mutating func number() -> Int? {
        skipSpace()
        var value = 0, digits = 0
        while position < bytes.count, (0x30...0x39).contains(bytes[position]), digits < 10 {
            value = value * 10 + Int(bytes[position] - 0x30)
            position += 1
            digits += 1
        }
        let isPlain = position < bytes.count && [0x2C, 0x7D, 0x20].contains(bytes[position])
        return (1...9).contains(digits) && value >= 1 && isPlain && bytes[position - digits] != 0x30 ? value : nil
    }
}
