/// Where a job is in its life. The last three are final.
public enum JobState: Int, Sendable, Codable, CaseIterable, CustomStringConvertible {
    /// Accepted, and with no worker.
    case waiting = 0
    /// Leased to a worker.
    case running = 1
    /// Done; its row is in a sealed shard.
    case succeeded = 2
    /// Ended with an error, in a shard's row or, after too many lost workers, only in the job store.
    case failed = 3
    /// Cancelled before it ended.
    case cancelled = 4

    /// Whether nothing changes a job in this state any more.
    public var isFinal: Bool { self == .succeeded || self == .failed || self == .cancelled }
    /// The word that commands and messages use.
    public var description: String {
        switch self {
        case .waiting: "waiting"
        case .running: "running"
        case .succeeded: "succeeded"
        case .failed: "failed"
        case .cancelled: "cancelled"
        }
    }
}

/// Where a batch is in its life.
public enum BatchState: Int, Sendable, Codable, CaseIterable, CustomStringConvertible {
    /// Items are still being added; nothing runs.
    case open = 0
    /// Closed; its jobs run or wait.
    case running = 1
    /// Every job has ended.
    case finished = 2
    /// Cancelled; jobs that had ended before keep their results.
    case cancelled = 3

    /// Whether no job of the batch can run any more.
    public var isFinal: Bool { self == .finished || self == .cancelled }
    /// The word that commands and messages use.
    public var description: String {
        switch self {
        case .open: "open"
        case .running: "running"
        case .finished: "finished"
        case .cancelled: "cancelled"
        }
    }
}

/// How many jobs of a batch are in each state.
public struct JobCounts: Hashable, Sendable {
    private var counts: (waiting: UInt64, running: UInt64, succeeded: UInt64, failed: UInt64, cancelled: UInt64)

    /// No jobs.
    public init() { counts = (0, 0, 0, 0, 0) }

    /// The number of jobs in a state.
    public subscript(state: JobState) -> UInt64 {
        get {
            switch state {
            case .waiting: counts.waiting
            case .running: counts.running
            case .succeeded: counts.succeeded
            case .failed: counts.failed
            case .cancelled: counts.cancelled
            }
        }
        set {
            switch state {
            case .waiting: counts.waiting = newValue
            case .running: counts.running = newValue
            case .succeeded: counts.succeeded = newValue
            case .failed: counts.failed = newValue
            case .cancelled: counts.cancelled = newValue
            }
        }
    }

    /// All jobs.
    public var total: UInt64 { JobState.allCases.reduce(0) { $0 + self[$1] } }
    /// Jobs that have not ended.
    public var unfinished: UInt64 { self[.waiting] + self[.running] }

    /// Equal when every state has the same number of jobs.
    public static func == (a: JobCounts, b: JobCounts) -> Bool { a.counts == b.counts }
    /// Hashes the numbers.
    public func hash(into hasher: inout Hasher) { for state in JobState.allCases { hasher.combine(self[state]) } }
}
