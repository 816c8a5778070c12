/// What a batch may be called: a name that is also a good folder name.
public enum BatchName {
    /// The rule in words.
    public static let rule = "use up to 100 letters, digits, '.', '-' and '_', and begin with a letter or digit"

    /// The name of a batch whose items are in a file or folder: its own, with `-` for what a name may not hold.
    public static func derived(from path: String) -> String {
        let last = path.split(separator: "/").last.map(String.init) ?? ""
        let stem = last.lastIndex(of: ".").flatMap { $0 > last.startIndex ? String(last[..<$0]) : nil } ?? last
        var name = ""
        for byte in stem.utf8 {
            let isUsable = isWord(byte) || byte == 0x2E || byte == 0x5F
            if isUsable { name.unicodeScalars.append(Unicode.Scalar(byte)) } else if name.last != "-" { name += "-" }
        }
        name = String(name.drop { !isUsable("\($0)") }.prefix(100))
        while name.last == "-" { name.removeLast() }
        return name.isEmpty ? "batch" : name
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte)
    }

    /// Whether a name keeps the rule.
    public static func isUsable(_ name: String) -> Bool {
        guard let first = name.utf8.first, name.utf8.count <= 100 else { return false }
        return isWord(first) && name.utf8.allSatisfy { isWord($0) || [0x2D, 0x2E, 0x5F].contains($0) }
    }
}
