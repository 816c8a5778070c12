internal import Foundation
internal import Glibc
internal import JobVocabulary

/// The sign by which a results folder is known: a file inside it that holds what the description of its batch holds.
///
/// The coordinator writes it when a batch is opened. A process that does not find it has another disk at the folder's
/// path, or none at present: what it would write there could not be found, and what it does not find there is not lost.
public enum ResultsToken {
    /// Its place in a results folder.
    public static let file = ResultsLayout.token

    /// What stands in the file of a folder.
    public enum Reading: Sendable, Hashable {
        /// There is a token.
        case token(String)
        /// There is no such file.
        case absent
        /// The token cannot be read just now, for this reason.
        case unreadable(String)
    }

    /// A new token, 32 hexadecimal digits.
    public static func random() -> String {
        UUID().uuidString.lowercased().replacing("-", with: "")
    }

    /// Writes the token of a folder, whole or not at all; `shards/` must be there.
    public static func write(_ token: String, in results: String) throws {
        try Data("\(token)\n".utf8).write(to: URL(fileURLWithPath: "\(results)/\(file)"), options: .atomic)
    }

    /// Reads the token of a folder.
    public static func read(_ results: String) -> Reading {
        let descriptor = open("\(results)/\(file)", O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            return [ENOENT, ENOTDIR].contains(errno) ? .absent : .unreadable(String(cString: strerror(errno)))
        }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 256)
        let count = Glibc.read(descriptor, &bytes, bytes.count)
        guard count >= 0 else { return .unreadable(String(cString: strerror(errno))) }
        return .token(String(decoding: bytes[..<count], as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
    }

    /// Why the folder that this process sees at a path is not the one that bears the token; nil where it is.
    public static func mismatch(_ token: String, in results: String) -> String? {
        switch read(results) {
        case .token(token): nil
        case .token:
            "the results folder \(results) belongs to another batch here: its \(file) is another one. "
                + "Mount the folder that the batch was submitted with"
        case .absent:
            "the results folder \(results) is not the batch's here: it has no \(file). "
                + "Mount the folder that the batch was submitted with at this path"
        case .unreadable(let reason):
            "the results folder \(results) cannot be used here: \(file): \(reason). "
                + "Check the mount and the rights of this user"
        }
    }
}
