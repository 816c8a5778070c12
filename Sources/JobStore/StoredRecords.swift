public import Foundation
public import JobModel

/// A batch as the store keeps it.
public struct StoredBatch: Sendable, Hashable {
    /// Its name.
    public var id: BatchID
    /// Its description as JSON.
    public var description: String
    /// Its results folder.
    public var results: String
    /// What the model's files looked like when it was submitted.
    public var modelFingerprint: String
    /// Where it is in its life.
    public var state: BatchState
    /// Whether its jobs are held back.
    public var isPaused: Bool
    /// Its items.
    public var total: UInt64
    /// When it was opened, by the wall clock.
    public var openedAt: Date
    /// When its submission was complete.
    public var closedAt: Date?
    /// When its last job ended.
    public var finishedAt: Date?
    /// Why it was cancelled.
    public var reason: String?
    /// Its jobs per state.
    public var counts: JobCounts
}

/// An item on its way into the store.
public struct NewItem: Sendable, Hashable {
    /// The user's id.
    public var id: ItemID
    /// The line of the manifest.
    public var json: String
    /// Equal for items of the same pictures; items without one have nothing in common.
    public var picture: PictureKey

    /// An item that is about these pictures.
    public init(id: ItemID, images: [String], json: String) {
        self.id = id
        self.json = json
        picture = PictureKey(images.isEmpty ? id.rawValue : images.joined(separator: "\n"))
    }
}

/// What became of items that were submitted.
public struct AddedItems: Sendable, Hashable {
    /// A new job.
    public struct Job: Sendable, Hashable {
        /// Its number.
        public var id: JobID
        /// Its picture.
        public var picture: PictureKey
    }

    /// Jobs of new items, in their order.
    public var added: [Job] = []
    /// Items that the batch already had.
    public var known: UInt64 = 0
    /// Known items whose waiting jobs got another item, with the epoch that invalidates earlier attempts.
    public var replaced: [Lease] = []
    /// Known items whose cancelled jobs wait again.
    public var revived: [RevivedJob] = []
}

/// A job that had ended without success and waits again.
public struct RevivedJob: Sendable, Hashable {
    /// The job.
    public var id: JobID
    /// Its picture.
    public var picture: PictureKey
    /// Beyond its last attempt, whose result does not count any more.
    public var epoch: Epoch
    /// Whether it had failed; it was cancelled otherwise.
    public var wasFailed: Bool
}

/// An attempt that ended without a result, as the store keeps it.
public struct AttemptRecord: Sendable, Hashable {
    /// Which attempt.
    public var epoch: Epoch
    /// Who had it, where that is known.
    public var worker: WorkerName?
    /// The class of the failure; nil if the worker was lost or handed the job back.
    public var errorClass: String?
    /// What happened.
    public var reason: String
    /// When, by the wall clock.
    public var endedAt: Date
}

/// A job that has not ended, as the scheduler needs it after a restart.
public struct UnfinishedJob: Sendable, Hashable {
    /// The job.
    public var id: JobID
    /// Its picture.
    public var picture: PictureKey
    /// Its last attempt.
    public var epoch: Epoch
    /// Workers lost over the job since it was last retried.
    public var losses: Int
    /// Failures since it was last let off.
    public var failures: Int
    /// Whether an attempt was under way.
    public var wasRunning: Bool
    /// The worker of the last attempt, if one was under way.
    public var worker: WorkerName?
    /// An earlier attempt that was under way beside the last one.
    public var rival: Epoch?
}

/// A sealed shard as its writer reported it.
public struct ShardRecord: Sendable, Hashable {
    /// The batch it belongs to.
    public var batch: BatchID
    /// Its path in the results folder.
    public var path: String
    /// The digest of its bytes.
    public var sha256: [UInt8]
    /// Its size.
    public var bytes: UInt64
    /// Who wrote it.
    public var worker: WorkerName

    /// A shard.
    public init(batch: BatchID, path: String, sha256: [UInt8], bytes: UInt64, worker: WorkerName) {
        self.batch = batch
        self.path = path
        self.sha256 = sha256
        self.bytes = bytes
        self.worker = worker
    }
}

/// An item with what has become of it.
public struct ItemRecord: Sendable, Hashable {
    /// 1-based place in the manifest.
    public var ordinal: UInt64
    /// The user's id.
    public var id: ItemID
    /// Its job.
    public var job: JobID
    /// Where its job is.
    public var state: JobState
    /// Why it failed.
    public var error: String?
    /// What to show without opening the shard; nil before the job has ended with a row.
    public var summary: JobSummary?
    /// The shard that holds its row.
    public var shard: String?
    /// Which row.
    public var row: UInt32?
    /// The number of the last attempt; one is left out at each retry by hand, so that late results do not count.
    public var attempts: UInt64
    /// Workers lost over it, ever.
    public var losses: UInt64
    /// Failures that another attempt followed or could have followed, ever.
    public var failures: UInt64
}
