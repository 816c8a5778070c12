/// What went wrong when the limits of this machine were read.
public struct MachineLimitsError: Error, CustomStringConvertible, Sendable {
    /// Kinds of failure.
    public enum Code: String, Sendable {
        case cannotRead, malformedFile
    }

    /// What kind of failure it is.
    public let code: Code
    /// What went wrong and what to do about it.
    public let message: String

    /// An error with its message.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
