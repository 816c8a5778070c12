extension ItemFields {
    /// Reads a line of the usual form: one flat object with known keys, once each, and texts without escapes.
    ///
    /// nil for every other line, right or wrong; `JSONDecoder` has the say about those. It takes twenty times as long, and
    /// a manifest has millions of lines.
    init?(plain json: String) {
        var json = json
        guard
            let fields = json.withUTF8({ bytes in
                var reader = PlainObject(bytes)
                return reader.fields()
            })
        else { return nil }
        self = fields
    }

    fileprivate init() {}

    /// Whether an item with these fields is usable as it is.
    fileprivate var isFaultless: Bool {
        guard let id, let image, let prompt else { return false }
        let isBlank = [id, image, prompt].contains { $0.allSatisfy(\.isWhitespace) }
        return !isBlank && maxTokens ?? 1 >= 1 && ImagePath.resolve(image, under: "/images") != nil
    }
}

/// Reads the one JSON object of a line.
private struct PlainObject {
    private let bytes: UnsafeBufferPointer<UInt8>
    private var position = 0

    init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    mutating func fields() -> ItemFields? {
        var fields = ItemFields()
        guard take("{") else { return nil }
        repeat {
            guard let key = text(), take(":") else { return nil }
            switch key {
            case "id" where fields.id == nil: fields.id = text()
            case "image" where fields.image == nil: fields.image = text()
            case "prompt" where fields.prompt == nil: fields.prompt = text()
            case "max_tokens" where fields.maxTokens == nil:
                fields.maxTokens = number()
                if fields.maxTokens == nil { return nil }
            default: return nil
            }
        } while take(",")
        guard take("}") else { return nil }
        skipBlanks()
        return position == bytes.count && fields.isFaultless ? fields : nil
    }

    private mutating func skipBlanks() {
        while position < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[position]) { position += 1 }
    }

    private mutating func take(_ sign: Unicode.Scalar) -> Bool {
        skipBlanks()
        guard position < bytes.count, bytes[position] == UInt8(ascii: sign) else { return false }
        position += 1
        return true
    }

    /// A text in quotes; nil where there is none, or one with escapes or control characters.
    private mutating func text() -> String? {
        guard take("\"") else { return nil }
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            if byte == UInt8(ascii: "\"") {
                defer { position += 1 }
                return String(decoding: bytes[start..<position], as: UTF8.self)
            }
            guard byte >= 0x20, byte != UInt8(ascii: "\\") else { return nil }
            position += 1
        }
        return nil
    }

    /// A positive whole number of up to nine digits.
    private mutating func number() -> Int? {
        skipBlanks()
        let start = position
        while position < bytes.count, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(bytes[position]) {
            position += 1
        }
        guard (1...9).contains(position - start), bytes[start] != UInt8(ascii: "0") else { return nil }
        return bytes[start..<position].reduce(0) { 10 * $0 + Int($1 - UInt8(ascii: "0")) }
    }
}
