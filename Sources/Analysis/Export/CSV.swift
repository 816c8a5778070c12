internal import ResultFiles

/// Comma-separated values as in RFC 4180, with a line of names first.
public enum CSV {
    /// The rows of a query; NULL is empty.
    public static func text(_ result: QueryResult) -> String {
        line(names: result.columns) + result.rows.map { line($0) }.joined()
    }

    /// The rows of a SELECT, a piece at a time.
    public static func write(_ sql: String, of catalogue: Catalogue, to put: (String) throws -> Void) throws {
        try catalogue.read(sql, columns: { try put(line(names: $0)) }, row: { try put(line($0)) })
    }

    private static func line(names: [String]) -> String { names.map(quoted).joined(separator: ",") + "\r\n" }

    private static func line(_ row: [Scalar?]) -> String { row.map(cell).joined(separator: ",") + "\r\n" }

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
