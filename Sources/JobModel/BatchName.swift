/// What a batch may be called: a name that is also a good folder name.
public enum BatchName {
    /// The rule in words.
    public static let rule = "use up to 100 letters, digits, '.', '-' and '_', and begin with a letter or digit"

    /// Whether a name keeps the rule.
    public static func isUsable(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 100 else { return false }
        func isWord(_ byte: UInt8) -> Bool {
            (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
        }
        return isWord(first) && name.utf8.allSatisfy { isWord($0) || [0x2D, 0x2E, 0x5F].contains($0) }
    }
}
