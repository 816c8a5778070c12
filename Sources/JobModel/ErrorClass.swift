/// Why an attempt failed, as far as it decides whether another attempt may succeed.
public enum ErrorClass: Int, Sendable, Hashable, Codable, CaseIterable, CustomStringConvertible {
    /// None of the others.
    case other = 0
    /// The item itself is at fault: a broken picture, a prompt that is too long. It would fail everywhere.
    case input = 1
    /// Memory, disk or a file was not to be had just then.
    case resource = 2
    /// The attempt ran longer than the batch allows.
    case timeout = 3
    /// The model's output was not finite.
    case numeric = 4

    /// The word that commands and messages use.
    public var description: String {
        switch self {
        case .other: "other"
        case .input: "input"
        case .resource: "resource"
        case .timeout: "timeout"
        case .numeric: "numeric"
        }
    }

    /// How often, and after which pauses, a job that failed so is tried again unless its batch says otherwise.
    public var retryRule: RetryRule {
        switch self {
        case .other: RetryRule(limit: 2, firstPause: .seconds(2), longestPause: .seconds(60))
        case .input: RetryRule(limit: 0, firstPause: .zero, longestPause: .zero)
        case .resource: RetryRule(limit: 5, firstPause: .seconds(5), longestPause: .seconds(300))
        case .timeout: RetryRule(limit: 1, firstPause: .seconds(1), longestPause: .seconds(60))
        case .numeric: RetryRule(limit: 1, firstPause: .seconds(1), longestPause: .seconds(60))
        }
    }
}

/// Further attempts after a failure, and the exponential back-off before each.
public struct RetryRule: Sendable, Hashable {
    /// Most failures after which there is another attempt.
    public var limit: Int
    /// The pause after the first failure.
    public var firstPause: Duration
    /// No pause is longer.
    public var longestPause: Duration

    /// A rule.
    public init(limit: Int, firstPause: Duration, longestPause: Duration) {
        self.limit = limit
        self.firstPause = firstPause
        self.longestPause = longestPause
    }

    /// The pause before the attempt that follows the given number of failures: doubled with each one, then shortened by up
    /// to a half, so that jobs that failed together do not come back together.
    ///
    /// - Parameter jitter: a random number in 0..<1.
    public func pause(after failures: Int, jitter: Double) -> Duration {
        guard failures > 0 else { return .zero }
        let doubled = firstPause * (1 << min(failures - 1, 20))
        return min(doubled, longestPause) * (1 - 0.5 * jitter)
    }
}

/// An attempt that ended without a result: its worker, and the reason.
public struct AttemptEnd: Sendable, Hashable {
    /// The worker; nil if it had not come back since the coordinator's restart.
    public var worker: WorkerName?
    /// The class of the failure; nil if the worker was lost or the lease made no progress.
    public var errorClass: ErrorClass?
    /// What happened, in words.
    public var reason: String

    /// The end of an attempt.
    public init(worker: WorkerName?, errorClass: ErrorClass? = nil, reason: String) {
        self.worker = worker
        self.errorClass = errorClass
        self.reason = reason
    }
}
