/// The printable characters as which byte-level vocabularies write bytes (Radford et al. 2019).
enum ByteLetters {
    /// The letter of each byte: itself where it prints in Latin-1, the others in their order from U+0100 on.
    static let letters: [Unicode.Scalar] = {
        let printing: [ClosedRange<UInt32>] = [33...126, 161...172, 174...255]
        var next: UInt32 = 256
        return (UInt32(0)..<256).compactMap { (byte: UInt32) -> Unicode.Scalar? in
            if printing.contains(where: { $0.contains(byte) }) { return Unicode.Scalar(byte) }
            next += 1
            return Unicode.Scalar(next - 1)
        }
    }()

    /// The bytes that a token stands for; its own UTF-8 where it holds a character that stands for none.
    static func bytes(of token: String) -> [UInt8] {
        var bytes: [UInt8] = []
        for scalar in token.unicodeScalars {
            guard scalar.value < values.count, let byte = values[Int(scalar.value)] else { return Array(token.utf8) }
            bytes.append(byte)
        }
        return bytes
    }

    private static let values: [UInt8?] = {
        var values = [UInt8?](repeating: nil, count: 256 + 68)
        for (byte, letter) in letters.enumerated() { values[Int(letter.value)] = UInt8(byte) }
        return values
    }()
}
