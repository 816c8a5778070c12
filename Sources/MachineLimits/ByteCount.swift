/// An amount of memory as people write it: `24GiB`, `9 GB`, `512M`, `1.5g` or plain bytes.
///
/// `KB`, `MB`, `GB` and `TB` are powers of 1000. `KiB` to `TiB` and the bare letters `K` to `T`
/// are powers of 1024. Case does not matter.
public struct ByteCount: Sendable, Hashable, CustomStringConvertible {
    /// The amount in bytes, never negative.
    public let bytes: Int

    /// An amount in bytes, which must not be negative.
    public init(bytes: Int) {
        precondition(bytes >= 0, "an amount of memory is not negative")
        self.bytes = bytes
    }

    /// Reads an amount, or returns nil if the text is none, is negative or has more bytes than `Int` holds.
    ///
    /// The number is digits, with a point between them if the unit is larger than a byte. Blanks may stand between
    /// number and unit. Fractions of a byte are rounded.
    public init?(_ text: String) {
        let number = text.prefix { $0 == "." || $0.isASCII && $0.isNumber }
        let name = text[number.endIndex...].drop { $0 == " " }
        guard let unit = Self.units[name.lowercased()] else { return nil }
        // Blanks that no unit follows are refused.
        if name.isEmpty, number.endIndex != text.endIndex { return nil }
        let parts = number.split(separator: ".", omittingEmptySubsequences: false)
        guard (1...2).contains(parts.count), parts.allSatisfy({ !$0.isEmpty }), let whole = Int(parts[0])
        else { return nil }
        var fraction = 0
        if parts.count == 2 {
            guard unit > 1, let share = Double("0." + parts[1]) else { return nil }
            fraction = Int((share * Double(unit)).rounded())
        }
        let (product, isTooLarge) = whole.multipliedReportingOverflow(by: unit)
        let (sum, overflows) = product.addingReportingOverflow(fraction)
        guard !isTooLarge, !overflows else { return nil }
        bytes = sum
    }

    /// The amount for people: `7.0 GB`, or `512.0 MB` if it is less than 1 GB, with a GB of 1000³ bytes.
    public var description: String {
        let megabytes = Self.tenths(of: 1_000_000, in: bytes)
        if megabytes < 10_000 { return "\(megabytes / 10).\(megabytes % 10) MB" }
        let gigabytes = Self.tenths(of: 1_000_000_000, in: bytes)
        return "\(gigabytes / 10).\(gigabytes % 10) GB"
    }

    private static let units: [String: Int] = {
        var units = ["": 1, "b": 1]
        for (power, letter) in ["k", "m", "g", "t"].enumerated() {
            let (decimal, binary) = ((0...power).reduce(1) { unit, _ in unit * 1000 }, 1 << (10 * (power + 1)))
            units["\(letter)b"] = decimal
            units["\(letter)ib"] = binary
            units[letter] = binary
        }
        return units
    }()

    /// How many tenths of a unit there are, rounded.
    private static func tenths(of unit: Int, in bytes: Int) -> Int {
        let (whole, rest) = bytes.quotientAndRemainder(dividingBy: unit / 10)
        return rest >= unit / 20 ? whole + 1 : whole
    }
}
