extension Unicode.Scalar {
    /// The kinds of characters that word patterns distinguish.
    enum WordKind {
        /// `\p{L}`
        case letter
        /// `\p{N}`
        case number
        /// `\s`
        case space
        case other
    }

    /// Which kind the character is.
    var wordKind: WordKind {
        switch value {
        case 65...90, 97...122: return .letter
        case 48...57: return .number
        case 9...13, 32: return .space
        case 0..<128: return .other
        default: break
        }
        // Hugging Face's library knows Unicode 16; what came later is to it no letter and no digit.
        guard let age = properties.age, age.major < 17 else { return .other }
        return switch properties.generalCategory {
        case .uppercaseLetter, .lowercaseLetter, .titlecaseLetter, .modifierLetter, .otherLetter: .letter
        case .decimalNumber, .letterNumber, .otherNumber: .number
        default: properties.isWhitespace ? .space : .other
        }
    }

    /// `\w`: what a token that asks for word boundaries must not touch.
    var isWordCharacter: Bool {
        switch properties.generalCategory {
        case .nonspacingMark, .spacingMark, .enclosingMark, .decimalNumber, .connectorPunctuation: true
        default: properties.isAlphabetic || properties.isJoinControl
        }
    }
}
