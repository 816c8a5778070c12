import ArgumentParser
import Foundation
import JobVocabulary

/// How a command prints what it found.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    /// A table for people.
    case table
    /// For programs: exactly one JSON value on one line.
    case json
    /// For scripts: the names or the one number that matter, one on a line.
    case quiet

    /// Prints in the form that was asked for.
    func show(_ value: some Encodable, table: @autoclosure () -> String, quiet: @autoclosure () -> String) throws {
        switch self {
        case .json: try printJSON(value)
        case .table: printWrapped(table().shown)
        case .quiet:
            let text = quiet()
            // A script gets names as they are, a terminal as it may show them.
            if !text.isEmpty { print(isatty(STDOUT_FILENO) == 1 ? text.shown : text) }
        }
    }
}

/// Prints a value as one JSON object on one line.
func printJSON(_ value: some Encodable) throws {
    let encoder = JSONEncoder.canonical
    encoder.keyEncodingStrategy = .convertToSnakeCase
    print(String(decoding: try encoder.encode(value), as: UTF8.self))
}
