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

    private static func objects(_ result: QueryResult) throws -> [String] {
        let names = try result.columns.map { try json($0) }
        return try result.rows.map { row in
            let members = try zip(names, row).map { name, value in "\(name):\(try json(value))" }
            return "{" + members.joined(separator: ",") + "}"
        }
    }

    private static func json(_ value: Scalar?) throws -> String {
        switch value {
        case nil: "null"
        case .integer(let value): "\(value)"
        case .real(let value): value.isFinite ? "\(value)" : "null"
        case .text(let value): try json(value)
        }
    }

    /// A text as JSON.
    static func json(_ text: String) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return String(decoding: try encoder.encode(text), as: UTF8.self)
    }
}
