/// A change of a job or a batch that the scheduler decided on, to be stored before any message about it is sent.
public enum JobTransition: Hashable, Sendable {
    /// A new attempt starts: the lease's epoch is one more than the last.
    case assigned(Lease, to: WorkerName)
    /// A second attempt starts beside the one of this epoch, which runs; from now on both count, and the first result wins.
    case seconded(Lease, beside: Epoch, to: WorkerName)
    /// A worker that came back still holds an attempt that counts.
    case adopted(Lease, by: WorkerName)
    /// The only attempt ended without a result; the job waits again.
    case requeued(Lease, toll: JobToll, because: AttemptEnd?)
    /// One of two attempts ended without a result; the other one runs on.
    case withdrawn(Lease, toll: JobToll, because: AttemptEnd?)
    /// The job ended without a row because too many workers were lost over it.
    case quarantined(Lease, toll: JobToll, because: AttemptEnd)
    /// The job ended without a row because its last attempt failed.
    case failed(Lease, because: AttemptEnd)
    /// The row of a sealed shard is this job's result.
    case committed(RowCommit)
    /// Every unfinished job of the batch ends.
    case batchCancelled(BatchID, reason: String, jobs: UInt64 = 0)
    /// The last job of the batch has ended.
    case batchFinished(BatchID)
    /// A batch that had ended has jobs to run again.
    case batchReopened(BatchID)
    /// Jobs of the batch are held back, or not any more.
    case batchPaused(BatchID, Bool)
}

/// What the end of an attempt costs its job; neither count ever goes down.
public enum JobToll: Int, Hashable, Sendable {
    /// Nothing: it was no fault of the job's.
    case none
    /// A lost worker or an expired lease.
    case loss
    /// A failure that another attempt may not have.
    case failure
}

/// A reported row that counts: the first one of its job, from the current attempt.
public struct RowCommit: Hashable, Sendable {
    /// The attempt that made the row.
    public var lease: Lease
    /// The shard that holds it, relative to the batch's results folder.
    public var shard: String
    /// Which row of the shard.
    public var row: UInt32
    /// Why the job failed; nil when it succeeded.
    public var error: String?
    /// What to show without opening the shard.
    public var summary: JobSummary

    /// A row of a shard.
    public init(lease: Lease, shard: String, row: UInt32, error: String?, summary: JobSummary) {
        self.lease = lease
        self.shard = shard
        self.row = row
        self.error = error
        self.summary = summary
    }
}

/// What status and progress views show of a finished job without opening its shard.
public struct JobSummary: Hashable, Sendable {
    /// The generated text.
    public var answer: String
    /// Visual tokens that reached the decoder.
    public var visualTokens: UInt32
    /// Seconds of work.
    public var seconds: Double

    /// A summary; empty for a job that failed before anything was known.
    public init(answer: String = "", visualTokens: UInt32 = 0, seconds: Double = 0) {
        self.answer = answer
        self.visualTokens = visualTokens
        self.seconds = seconds
    }
}
