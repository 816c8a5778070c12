/// Why keys cannot be used or made, and what to do.
public struct AccessKeyError: Error, CustomStringConvertible, Sendable {
    /// The kind of error.
    public enum Code: Sendable, Hashable {
        /// The file is not there or cannot be read.
        case unreadable
        /// Others than its owner can get at the file.
        case exposed
        /// The file is not what it should be.
        case malformed
        /// The key is for another role.
        case wrongRole
        /// The name is taken, or cannot be a name.
        case badName
        /// There is no key of this name.
        case unknownName
        /// The file cannot be written.
        case unwritable
    }

    /// The kind of error.
    public let code: Code
    /// What went wrong and what to do; never a secret.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
