/// Why a coordinator stopped, or could not do what it was asked.
public struct CoordinatorError: Error, CustomStringConvertible, Sendable {
    /// The kind of error.
    public enum Code: Sendable, Hashable {
        /// The scheduler and the job store disagree; going on would lose or repeat work.
        case inconsistent
        /// The results folder of a batch cannot be written.
        case resultsFolder
    }

    /// The kind of error.
    public let code: Code
    /// What went wrong and what to do.
    public let message: String
    /// The error underneath.
    public let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// The message and its cause.
    public var description: String { cause.map { "\(message) (\($0))" } ?? message }
}
