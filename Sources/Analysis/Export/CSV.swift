internal import ResultFiles

/// Comma-separated values as RFC 4180 has them, with a line of names first.
public enum CSV {
    /// The rows of a query; NULL is empty.
    public static func text(_ result: QueryResult) -> String {
        var text = result.columns.map(quoted).joined(separator: ",") + "\r\n"
        for row in result.rows { text += row.map(cell).joined(separator: ",") + "\r\n" }
        return text
    }

    private static func cell(_ value: Scalar?) -> String {
        switch value {
        case nil: ""
        case .integer(let value): "\(value)"
        case .real(let value): "\(value)"
        case .text(let value): quoted(value)
        }
    }

    private static func quoted(_ text: String) -> String {
        guard text.utf8.contains(where: { [0x22, 0x2C, 0x0A, 0x0D].contains($0) }) else { return text }
        return "\"" + text.replacing("\"", with: "\"\"") + "\""
    }
}
