extension String {
    /// The text as a terminal may show it.
    ///
    /// Names and reasons come from files and peers, and a terminal obeys what it is sent: control characters, all but line
    /// feed and tab, and characters that turn the direction of writing become `\u{1B}` and the like.
    var shown: String {
        guard unicodeScalars.contains(where: \.steersTerminals) else { return self }
        var text = ""
        for scalar in unicodeScalars {
            if scalar.steersTerminals {
                text += "\\u{" + String(scalar.value, radix: 16, uppercase: true) + "}"
            } else {
                text.unicodeScalars.append(scalar)
            }
        }
        return text
    }
}

extension String {
    /// The text in one line: names of files and questions may hold line feeds, which would make up lines of their own.
    var onOneLine: String { replacing("\r", with: "\\r").replacing("\n", with: "\\n") }
}

extension Unicode.Scalar {
    fileprivate var steersTerminals: Bool {
        switch value {
        case 0x09, 0x0A: false
        case 0..<0x20, 0x7F..<0xA0, 0x2028, 0x2029, 0x202A...0x202E, 0x2066...0x2069: true
        default: false
        }
    }
}
