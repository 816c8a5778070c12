/// Which option an answer to a ScienceQA question chooses (Lu et al. 2022; LLaVA's `eval_science_qa.py`).
public enum ChoiceLetter {
    private static let letters: [Unicode.Scalar] = ["A", "B", "C", "D", "E"]

    /// The place of the chosen one among `choices` options, or nil if no option of that many can be read.
    ///
    /// A letter alone; a letter with a full stop and a space behind; or exactly one "The answer is X" with any character
    /// but a line feed behind the letter, which the official pattern's unescaped full stop stands for.
    public static func choice(in text: String, of choices: Int) -> Int? {
        let scalars = Array(text.unicodeScalars)
        var letter: Unicode.Scalar?
        if let first = scalars.first, letters.contains(first),
            scalars.count == 1 || scalars.dropFirst().starts(with: [".", " "])
        {
            letter = first
        } else {
            let found = conclusions(scalars)
            if found.count == 1 { letter = found[0] }
        }
        return letter.flatMap { letters.prefix(max(choices, 0)).firstIndex(of: $0) }
    }

    /// The letters behind each "The answer is ".
    private static func conclusions(_ text: [Unicode.Scalar]) -> [Unicode.Scalar] {
        let phrase = Array("The answer is ".unicodeScalars)
        var found: [Unicode.Scalar] = []
        var place = 0
        while place + phrase.count + 2 <= text.count {
            let letter = text[place + phrase.count], behind = text[place + phrase.count + 1]
            if text[place...].starts(with: phrase), ("A"..."Z").contains(letter), behind != "\n" {
                found.append(letter)
                place += phrase.count + 2
            } else {
                place += 1
            }
        }
        return found
    }
}
