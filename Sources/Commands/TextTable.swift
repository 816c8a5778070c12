/// Rows under headings, padded to columns. What is too long for the terminal goes on in the next line of its cell; where there is
/// no room for columns, each row becomes a block of `heading  cell` lines. Nothing is cut off.
struct TextTable {
    private let headings: [String]
    private let rightAligned: Set<Int>
    private var rows: [[String]] = []

    /// A table; `rightAligned` names the columns that hold numbers.
    init(_ headings: [String], rightAligned: Set<Int> = []) {
        self.headings = headings
        self.rightAligned = rightAligned
    }

    /// Adds a row with one text for each heading.
    mutating func add(_ row: [String]) {
        precondition(row.count == headings.count, "one cell for each heading")
        rows.append(row.map { $0.replacing("\n", with: " ").shown })
    }

    /// The table, at most `width` characters wide, or as wide as it is where that is nil.
    func text(width: Int? = terminalWidth()) -> String {
        let natural = headings.indices.map { column in ([headings] + rows).map { $0[column].count }.max() ?? 0 }
        guard let width else { return columns(natural) }
        return fitting(natural, into: width).map(columns) ?? blocks(width: width)
    }

    private static let gap = 2
    /// Narrower columns of texts are hard to read.
    private static let leastWidth = 12
    /// A word that is not longer stays in one line.
    private static let longestWord = 20

    /// Widths that fill at most `width` with the gaps between them: texts give way, the widest first; nil if `width` is too small for that.
    private func fitting(_ natural: [Int], into width: Int) -> [Int]? {
        let room = width - Self.gap * (natural.count - 1)
        let least = natural.enumerated().map { column, width in
            let words = ([headings] + rows).flatMap { $0[column].split(separator: " ") }.map(\.count)
            let word = min(words.max() ?? 0, Self.longestWord)
            return rightAligned.contains(column) ? width : min(width, max(word, Self.leastWidth))
        }
        guard least.reduce(0, +) <= room else { return nil }
        var widths = natural, excess = natural.reduce(0, +) - room
        while excess > 0,
            let widest = widths.indices.filter({ widths[$0] > least[$0] }).max(by: { widths[$0] < widths[$1] })
        {
            widths[widest] -= 1
            excess -= 1
        }
        return widths
    }

    private func columns(_ widths: [Int]) -> String {
        let rule = widths.map { String(repeating: "─", count: $0) }
        return ([headings, rule] + rows).flatMap { row in
            let cells = zip(row, widths).map { $0.wrapped(to: $1) }
            return (0..<(cells.map(\.count).max() ?? 0)).map { line in
                let texts = cells.indices.map { column in
                    let text = line < cells[column].count ? cells[column][line] : ""
                    let padding = String(repeating: " ", count: max(0, widths[column] - text.count))
                    return rightAligned.contains(column) ? padding + text : text + padding
                }
                return texts.joined(separator: String(repeating: " ", count: Self.gap)).withoutSpacesAtEnd
            }
        }.joined(separator: "\n")
    }

    private func blocks(width: Int) -> String {
        let label = (headings.map(\.count).max() ?? 0) + Self.gap
        return rows.map { row in
            zip(headings, row).filter { !$1.isEmpty }.flatMap { heading, cell in
                cell.wrapped(to: max(width - label, Self.leastWidth)).enumerated().map { line, text in
                    let name = line == 0 ? heading : ""
                    return name + String(repeating: " ", count: label - name.count) + text
                }
            }.joined(separator: "\n")
        }.joined(separator: "\n\n")
    }
}
