public import JobModel
public import ResultFiles
internal import Synchronization

/// A job a worker was lent, with all it needs to run it.
public struct LeasedJob: Sendable {
    /// The job and the attempt.
    public let lease: Lease
    /// The batch it belongs to.
    public let batch: BatchID
    /// What all jobs of the batch share.
    public let description: BatchDescription
    /// The instruction, and the pictures that it is about, if any.
    public let item: Item
    /// Seconds from acceptance to assignment.
    public let queuedSeconds: Double
    /// Failures after which the coordinator lets the job run again: they get no row.
    public let retriable: Set<ErrorClass>

    /// A job of a batch.
    public init(
        lease: Lease, batch: BatchID, description: BatchDescription, item: Item, queuedSeconds: Double,
        retriable: Set<ErrorClass> = []
    ) {
        self.lease = lease
        self.batch = batch
        self.description = description
        self.item = item
        self.queuedSeconds = queuedSeconds
        self.retriable = retriable
    }
}

/// A job that ended, well or badly, with the row that records it.
public struct FinishedJob: Sendable {
    /// The job and the attempt.
    public let lease: Lease
    /// What goes into the shard.
    public let row: ResultRow
    /// What the row shares with others of its batch and model; rows with equal headers share shards. The worker fills in
    /// `batch`, `worker` and `software`.
    public let header: ShardHeader
    /// What status views show.
    public let summary: JobSummary
    /// Why the job failed; nil when it succeeded.
    public let error: String?
    /// What kind of failure it was.
    public let errorClass: ErrorClass

    /// A job's end.
    public init(
        lease: Lease, row: ResultRow, header: ShardHeader, summary: JobSummary, error: String? = nil,
        errorClass: ErrorClass = .other
    ) {
        self.lease = lease
        self.row = row
        self.header = header
        self.summary = summary
        self.error = error
        self.errorClass = errorClass
    }
}

/// Jobs that a worker cannot run at all, such as those of a model that does not load there: others may.
public struct UnfitJobs: Sendable {
    /// The jobs, all of those that the runner was given for the same reason.
    public let leases: [Lease]
    /// Why, and what to do.
    public let reason: String

    /// Jobs and the reason.
    public init(leases: [Lease], reason: String) {
        self.leases = leases
        self.reason = reason
    }
}

/// What a worker needs from the model side: something that holds several jobs and advances all of them step by step.
///
/// A runner is made and used on one thread, the worker's compute thread. A job that cannot be run (a broken picture, a
/// prompt that is too long) ends as a `FinishedJob` with an error; `step` throws only where no job can run any more.
public protocol JobRunner: AnyObject {
    /// Jobs that can run at the same time.
    var capacity: Int { get }

    /// Takes a job. More than `capacity` may be held; those that wait can be prepared ahead.
    func admit(_ job: LeasedJob)

    /// Forgets a job whose lease was lost; it must not come out of a later step.
    func cancel(_ lease: Lease)

    /// Advances the jobs that run by one iteration, for instance one token of each answer, and returns those that ended.
    ///
    /// - Parameter progress: to be told when work on a job begins, before long preparations such as loading a model, and
    ///   to be advanced whenever work moved on within a step that may last longer than a lease; the worker itself advances
    ///   it after each step. A lease renews only while its job has begun and the count grows.
    func step(_ progress: RunnerProgress) throws -> [FinishedJob]

    /// Jobs that cannot be run here, taken out of the runner; asked for after each step.
    func takeUnfit() -> [UnfitJobs]
}

extension JobRunner {
    /// Default: none, every job can be run here.
    public func takeUnfit() -> [UnfitJobs] { [] }
}

/// How a runner says that work moves on: which jobs have begun, and a count that grows. Any thread may use it.
public final class RunnerProgress: Sendable {
    private let counter = ProgressCounter()
    private let leases = Mutex<Set<Lease>>([])

    /// No job has begun.
    public init() {}

    /// Says that work on a job began; saying it again changes nothing.
    public func begin(_ lease: Lease) { leases.withLock { _ = $0.insert(lease) } }

    /// Says that work moved on.
    public func advance() { counter.advance() }

    /// How often work moved on.
    var count: UInt64 { counter.count }

    /// The jobs that have begun and not ended.
    var begun: Set<Lease> { leases.withLock { $0 } }

    /// A job ended or its lease was lost.
    func forget(_ lease: Lease) { leases.withLock { _ = $0.remove(lease) } }
}

/// A count that grows while a thread works; any thread may read it.
final class ProgressCounter: Sendable {
    private let value = Atomic<UInt64>(0)

    var count: UInt64 { value.load(ordering: .relaxed) }

    func advance() { value.wrappingAdd(1, ordering: .relaxed) }
}
