import Foundation

/// A small JSON value: everything in a tokenizer's files but vocabulary and merges.
enum JSONValue: Equatable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case array([JSONValue])
    case object([String: JSONValue])

    /// The member of that name; nil if there is none, where it is `null`, and where this is no object.
    subscript(_ name: String) -> JSONValue? {
        guard case .object(let members) = self, let member = members[name], member != .null else { return nil }
        return member
    }

    /// The text; nil if this is something else.
    var text: String? { if case .text(let text) = self { text } else { nil } }

    /// The whole number; nil if this is something else.
    var integer: Int? { if case .number(let number) = self { Int(exactly: number) } else { nil } }

    /// The truth value; nil if this is something else.
    var bool: Bool? { if case .bool(let bool) = self { bool } else { nil } }

    /// The elements; nil if this is something else.
    var array: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }

    /// The members; nil if this is something else.
    var object: [String: JSONValue]? { if case .object(let members) = self { members } else { nil } }

    /// The bytes of a file; nil if there is none.
    static func bytes(of url: URL) throws(TokenizerError) -> [UInt8]? {
        guard FileManager.default.fileExists(atPath: url.path) else { return nil }
        do {
            return [UInt8](try Data(contentsOf: url))
        } catch {
            let why = error.localizedDescription
            throw TokenizerError(.unreadable, "cannot be read (\(why)); check its permissions", file: url.path)
        }
    }

    /// The object in a file; nil if there is no file.
    static func object(in url: URL) throws(TokenizerError) -> JSONValue? {
        guard let bytes = try bytes(of: url) else { return nil }
        var reader = try JSONReader(bytes, file: url.path)
        let value = try reader.value()
        try reader.end()
        guard value.object != nil else {
            throw TokenizerError(.damaged, "is no JSON object; download it again", file: url.path)
        }
        return value
    }
}
