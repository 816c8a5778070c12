/// A few letters that tell things of one name apart.
enum RandomLetters {
    /// Five letters and digits that are not taken for one another when read.
    static func five() -> String {
        String((0..<5).compactMap { _ in "abcdefghjkmnpqrstuvwxyz23456789".randomElement() })
    }
}
