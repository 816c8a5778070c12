import Glibc

/// Rows under headings, padded to columns; texts too long for the terminal are cut.
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

    /// The table, at most `width` characters wide where the widest column can give way.
    func text(width: Int = terminalWidth()) -> String {
        var widths = headings.indices.map { column in ([headings] + rows).map { $0[column].count }.max() ?? 0 }
        let excess = widths.reduce(0, +) + 2 * (widths.count - 1) - width
        if excess > 0, let widest = widths.indices.max(by: { widths[$0] < widths[$1] }) {
            widths[widest] = max(widths[widest] - excess, 12)
        }
        let rule = widths.map { String(repeating: "─", count: $0) }
        return ([headings, rule] + rows).map { row in
            let cells = row.indices.map { column in
                let cell = shortened(row[column], to: widths[column])
                let padding = String(repeating: " ", count: widths[column] - cell.count)
                return rightAligned.contains(column) ? padding + cell : cell + padding
            }
            let line = cells.joined(separator: "  ")
            return String(line.reversed().drop { $0 == " " }.reversed())
        }.joined(separator: "\n")
    }
}

/// At most `length` characters of a text, with an ellipsis where something was cut.
func shortened(_ text: String, to length: Int) -> String {
    text.count <= length ? text : text.prefix(max(length - 1, 0)) + "…"
}

/// Columns of the terminal; 120 where output does not go to one.
func terminalWidth() -> Int {
    var size = winsize()
    guard isatty(STDOUT_FILENO) == 1, ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 20 else {
        return 120
    }
    return Int(size.ws_col)
}
