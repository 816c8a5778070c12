internal import Foundation

/// A name that sorts by the time it was made: 48 bits of milliseconds since 1970, then 80 random bits.
///
/// Written as 26 letters and digits of Crockford's base 32, as https://github.com/ulid/spec defines it.
public struct ULID: Sendable, Hashable, Comparable, CustomStringConvertible {
    /// The 128 bits, the time first.
    public let value: UInt128

    /// Makes a name from a time in milliseconds since 1970 and a source of randomness.
    public init(milliseconds: UInt64, using generator: inout some RandomNumberGenerator) {
        let random = UInt128(generator.next()) << 64 | UInt128(generator.next())
        value = UInt128(milliseconds & 0xFFFF_FFFF_FFFF) << 80 | random >> 48
    }

    /// A name made now.
    public static func now() -> ULID {
        var random = SystemRandomNumberGenerator()
        return ULID(milliseconds: UInt64(max(0, Date().timeIntervalSince1970 * 1_000)), using: &random)
    }

    /// Reads a name; nil unless it is 26 characters of the alphabet within 128 bits.
    public init?(_ text: String) {
        var value: UInt128 = 0
        guard text.utf8.count == 26 else { return nil }
        for character in text.utf8 {
            guard let digit = Self.alphabet.firstIndex(of: character), value >> 123 == 0 else { return nil }
            value = value << 5 | UInt128(digit)
        }
        self.value = value
    }

    /// When it was made, in milliseconds since 1970.
    public var milliseconds: UInt64 { UInt64(truncatingIfNeeded: value >> 80) }

    /// The last byte as two hexadecimal digits, which spreads files evenly over 256 folders.
    public var folder: String {
        let digits = String(UInt8(truncatingIfNeeded: value), radix: 16)
        return digits.count == 1 ? "0" + digits : digits
    }

    /// The 26 characters.
    public var description: String {
        String(
            decoding: (0..<26).map { Self.alphabet[Int(truncatingIfNeeded: value >> (5 * (25 - $0))) & 31] },
            as: UTF8.self)
    }

    /// Whether `left` was made earlier, or is the smaller of two from one millisecond.
    public static func < (left: ULID, right: ULID) -> Bool { left.value < right.value }

    private static let alphabet = Array("0123456789ABCDEFGHJKMNPQRSTVWXYZ".utf8)
}
