/// Why results could not be analysed, in words that say what to do about it.
public struct AnalysisError: Error, CustomStringConvertible, Sendable {
    /// The kinds of failure that callers tell apart.
    public enum Code: Sendable, Hashable {
        /// What was asked for cannot be: a query that is not SQL, a job that is not there.
        case badRequest
        /// The catalogue cannot be read or written.
        case catalogue
        /// A shard holds what its writer never writes.
        case contradiction
        /// The batch still runs, and what was asked for needs it to be over.
        case stillRunning
        /// A program that was needed is absent or failed.
        case program
    }

    /// The kind of failure.
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
