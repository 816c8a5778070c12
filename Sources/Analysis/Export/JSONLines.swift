internal import Foundation
internal import ResultFiles

/// One JSON object a line.
public enum JSONLines {
    /// The rows of a query, each as an object with the columns in their order.
    public static func text(_ result: QueryResult) throws -> String {
        try objects(result).map { $0 + "\n" }.joined()
    }

    /// The rows of a query as one JSON list.
    public static func array(_ result: QueryResult) throws -> String {
        "[" + (try objects(result)).joined(separator: ",\n ") + "]"
    }

    /// The rows of a SELECT, a piece at a time.
    public static func write(_ sql: String, of catalogue: Catalogue, to put: (String) throws -> Void) throws {
        let json = JSONText()
        var names: [String] = []
        try catalogue.read(
            sql, columns: { columns in names = try columns.map { try json.text($0) } },
            row: { row in try put(object(names, row, json) + "\n") })
    }

    private static func objects(_ result: QueryResult) throws -> [String] {
        let json = JSONText()
        let names = try result.columns.map { try json.text($0) }
        return try result.rows.map { try object(names, $0, json) }
    }

    private static func object(_ names: [String], _ row: [Scalar?], _ json: JSONText) throws -> String {
        let members = try zip(names, row).map { name, value in "\(name):\(try json.value(value))" }
        return "{" + members.joined(separator: ",") + "}"
    }
}

/// Values as JSON; one encoder for all of them, since making one takes longer than using it.
struct JSONText {
    private let encoder = JSONEncoder()

    init() { encoder.outputFormatting = .withoutEscapingSlashes }

    /// A text with its quotes.
    func text(_ text: String) throws -> String { String(decoding: try encoder.encode(text), as: UTF8.self) }

    /// A value; what is not a number is null.
    func value(_ value: Scalar?) throws -> String {
        switch value {
        case nil: "null"
        case .integer(let value): "\(value)"
        case .real(let value): value.isFinite ? "\(value)" : "null"
        case .text(let value): try text(value)
        }
    }
}
