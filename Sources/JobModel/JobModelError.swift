/// What is wrong with a description or an item that came as text.
public struct JobModelError: Error, CustomStringConvertible, Sendable, Hashable {
    /// The kind of error.
    public enum Code: Sendable, Hashable {
        /// A batch description is not JSON, or not of the expected shape.
        case badDescription
        /// An item is not JSON, or breaks a rule of the manifest.
        case badItem
    }

    /// The kind of error.
    public let code: Code
    /// What went wrong and what to do.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
