/// Why a worker ended before it was asked to.
public struct WorkerError: Error, CustomStringConvertible, Sendable {
    /// The kind of end.
    public enum Code: Sendable, Hashable {
        /// The coordinator does not want this worker.
        case refused
        /// What runs the jobs cannot be made, or failed for every job at once.
        case runner
        /// Reports cannot be kept on disk.
        case spool
        /// The network layer failed.
        case transport
        /// The worker was asked to stop, and the coordinator did not answer for its last results.
        case unanswered
    }

    /// The kind of end.
    public let code: Code
    /// What went wrong and what to do.
    public let message: String

    /// The message.
    public var description: String { message }

    /// An error with its code and text.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
