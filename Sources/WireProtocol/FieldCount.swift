/// Counts the parts of a serialised message before anything is made of them.
///
/// Two bytes on the wire can become a structure of a hundred in memory, so a limit on bytes alone would let one message
/// take gigabytes. Nothing is allocated here: lengths are skipped over.
enum FieldCount {
    /// Most fields of an envelope and of the message in it, repeated ones counted each time.
    ///
    /// A report of more rows than that is over the limit of bytes already, unless its rows are empty.
    static let limit = 1 << 18
    /// Most levels of messages within messages; the contract has four.
    static let depthLimit = 8

    /// What the bytes are.
    enum Finding {
        case withinLimit, tooMany
        /// No message at all, or one that is cut off.
        case broken
    }

    /// Whether a serialised envelope and the message in it stay within the limit.
    static func find(in body: [UInt8]) -> Finding {
        var left = limit
        let isWhole = body.withUnsafeBytes { count($0, depth: 0, &left) }
        return left < 0 ? .tooMany : isWhole ? .withinLimit : .broken
    }

    /// Whether the bytes are fields from their beginning to their end; stops where none may be left.
    private static func count(_ bytes: UnsafeRawBufferPointer, depth: Int, _ left: inout Int) -> Bool {
        var place = 0
        func varint() -> UInt64? {
            var value: UInt64 = 0
            for shift in stride(from: 0, through: 63, by: 7) {
                guard place < bytes.count else { return nil }
                let byte = bytes[place]
                place += 1
                value |= UInt64(byte & 0x7F) << UInt64(shift)
                if byte < 0x80 { return value }
            }
            return nil
        }
        while place < bytes.count {
            left -= 1
            guard left >= 0, let tag = varint() else { return false }
            switch tag & 7 {
            case 0: guard varint() != nil else { return false }
            case 1: place += 8
            case 2:
                guard let length = varint(), length <= UInt64(bytes.count - place) else { return false }
                let part = UnsafeRawBufferPointer(rebasing: bytes[place..<place + Int(length)])
                // The envelope's only part is the message; its own parts are what can be many.
                if depth == 0, !count(part, depth: 1, &left) { return false }
                place += Int(length)
            case 5: place += 4
            default: return false  // groups, which the contract does not have
            }
            guard place <= bytes.count else { return false }
        }
        return true
    }
}
