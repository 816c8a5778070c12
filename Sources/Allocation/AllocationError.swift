/// What went wrong with the files of allocation queues, and what to do.
public struct AllocationError: Error, Sendable, CustomStringConvertible {
    /// The kind of failure.
    public enum Code: Sendable, Hashable {
        /// A file cannot be read or understood.
        case unreadable
        /// A file cannot be written.
        case unwritable
    }

    /// The kind of failure.
    public let code: Code
    /// What went wrong and what to do.
    public let message: String

    /// The message.
    public var description: String { message }

    /// A failure.
    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
