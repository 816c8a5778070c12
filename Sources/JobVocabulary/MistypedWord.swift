extension String {
    /// The one of `known` that this word is most like, if it is a slip of some letters away from it: what somebody who typed it
    /// may have meant.
    ///
    /// - Parameter most: Letters by which it may differ; fewer in short words.
    public func meant(among known: some Sequence<String>, differingBy most: Int = 3) -> String? {
        let letters = Array(lowercased()), slips = Swift.min(most, letters.count < 5 ? 1 : letters.count < 9 ? 2 : 3)
        let near = known.map { (word: $0, distance: Self.slips(from: letters, to: Array($0.lowercased()))) }
            .filter { $0.distance <= slips && $0.distance < letters.count }
        return near.min { $0.distance < $1.distance }?.word
    }

    /// A question to put behind a refusal: ` (did you mean X?)`, or nothing where no known word comes near.
    public func guess(among known: some Sequence<String>) -> String {
        meant(among: known).map { " (did you mean \($0)?)" } ?? ""
    }

    /// The letters that are missing, too many, wrong or swapped with their neighbour (optimal string alignment).
    private static func slips(from word: [Character], to known: [Character]) -> Int {
        var before: [Int] = [], last = Array(0...known.count)
        for (row, letter) in word.enumerated() {
            var current = [row + 1]
            for (column, other) in known.enumerated() {
                var least = Swift.min(
                    last[column + 1] + 1, current[column] + 1, last[column] + (letter == other ? 0 : 1))
                if row > 0, column > 0, letter == known[column - 1], word[row - 1] == other {
                    least = Swift.min(least, before[column - 1] + 1)
                }
                current.append(least)
            }
            (before, last) = (last, current)
        }
        return last[known.count]
    }
}
