import Foundation

/// Answers that must match to the letter.
public enum ExactAnswer {
    /// What GQA compares: in lower case, without full stops at the end.
    public static func gqa(_ text: String) -> String {
        let scalars = text.unicodeScalars.reversed().drop { $0 == "." }.reversed()
        return String(String.UnicodeScalarView(scalars)).lowercased()
    }
}
