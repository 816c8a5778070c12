/// A change of a job or a batch that the scheduler decided on, to be stored before anybody hears of it.
public enum JobTransition: Hashable, Sendable {
    /// A new attempt starts: the lease's epoch is one more than the last.
    case assigned(Lease, to: WorkerName)
    /// A worker that came back still holds the current attempt.
    case adopted(Lease, by: WorkerName)
    /// The attempt ended without a result; the job waits again. `losses` counts the workers it has outlived.
    case requeued(Lease, losses: Int)
    /// The job ended without a row because too many workers were lost over it.
    case quarantined(Lease, losses: Int, reason: String)
    /// The row of a sealed shard is this job's result.
    case committed(RowCommit)
    /// Every unfinished job of the batch ends.
    case batchCancelled(BatchID, reason: String)
    /// The last job of the batch has ended.
    case batchFinished(BatchID)
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
