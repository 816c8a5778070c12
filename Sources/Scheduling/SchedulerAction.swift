public import JobModel

/// What the scheduler wants done, in this order; whatever is to be stored is stored before anything is sent.
public enum SchedulerAction: Hashable, Sendable {
    /// Make this change durable.
    case store(JobTransition)
    /// Send these jobs, of one picture where possible, to a worker.
    case assign([Assignment], to: WorkerName)
    /// Tell a worker that these attempts no longer count.
    case revoke([Lease], from: WorkerName)
    /// A worker is no longer counted on; it may say hello again.
    case workerLost(WorkerName, reason: String)
    /// A worker that was lost long ago is not listed any more.
    case workerForgotten(WorkerName)
    /// A Hello is not accepted.
    case refuse(WorkerName, reason: String)
}

/// A job on its way to a worker.
public struct Assignment: Hashable, Sendable {
    /// The attempt.
    public var lease: Lease
    /// The batch whose settings apply.
    public var batch: BatchID
    /// Earlier attempts at it that failed.
    public var failures = 0
}

/// What a reported row would come to.
public enum RowVerdict: Sendable, Hashable {
    /// The row is the job's result.
    case counts
    /// Its attempt does not count any more.
    case late
    /// The job has ended, perhaps by this very row: the job store knows.
    case ended
}

/// What became of the rows of one report.
public struct ReportOutcome: Sendable {
    /// Jobs whose result this report is.
    public var committed: [JobID] = []
    /// Jobs whose attempt no longer counts.
    public var stale: [JobID] = []
    /// Jobs that have already ended; the job store knows whether this very row ended them.
    public var ended: [JobID] = []
    /// What to do.
    public var actions: [SchedulerAction] = []

    /// A report that ends no job; some may have ended before.
    public init(ended: [JobID] = []) { self.ended = ended }
}

/// A job that the scheduler is to take care of.
public struct NewJob: Sendable, Hashable {
    /// Its number; the jobs of a batch come in growing order.
    public var id: JobID
    /// Equal for jobs of the same picture.
    public var image: UInt64
    /// The last attempt's number; above 0 only after a restart of the coordinator.
    public var epoch: Epoch
    /// Workers lost over the job since it was last retried.
    public var losses: Int
    /// Failures since it was last let off.
    public var failures: Int
    /// Whether an attempt was under way when the coordinator ended: its worker has one lease time to come back.
    public var wasRunning: Bool
    /// The worker of the last attempt, if one was under way and the worker is known.
    public var worker: WorkerName?
    /// An earlier attempt that was under way beside the last one.
    public var rival: Epoch?

    /// A job; default: one without earlier attempts.
    public init(
        id: JobID, image: UInt64, epoch: Epoch = .none, losses: Int = 0, failures: Int = 0, wasRunning: Bool = false,
        worker: WorkerName? = nil, rival: Epoch? = nil
    ) {
        self.id = id
        self.image = image
        self.epoch = epoch
        self.losses = losses
        self.failures = failures
        self.wasRunning = wasRunning
        self.worker = worker
        self.rival = rival
    }
}

/// A row of a report, as far as decisions need it.
public struct ReportedRow: Sendable, Hashable {
    /// The attempt that made it.
    public var lease: Lease
    /// Which row of the shard.
    public var row: UInt32
    /// Why the job failed; nil when it succeeded.
    public var error: String?
    /// What to show without opening the shard.
    public var summary: JobSummary

    /// A row.
    public init(lease: Lease, row: UInt32, error: String? = nil, summary: JobSummary = JobSummary()) {
        self.lease = lease
        self.row = row
        self.error = error
        self.summary = summary
    }
}

/// An attempt that failed in a way that another one may not.
public struct FailedAttempt: Sendable, Hashable {
    /// The attempt.
    public var lease: Lease
    /// What kind of failure it was.
    public var errorClass: ErrorClass
    /// What happened, in words.
    public var reason: String

    /// A failure.
    public init(lease: Lease, errorClass: ErrorClass, reason: String) {
        self.lease = lease
        self.errorClass = errorClass
        self.reason = reason
    }
}
