/// One attempt at one job, lent to one worker.
public struct Lease: Hashable, Sendable, Codable, CustomStringConvertible {
    /// The job.
    public var job: JobID
    /// Which attempt at it; only the current one's result counts.
    public var epoch: Epoch

    /// A lease of a job at an epoch.
    public init(job: JobID, epoch: Epoch) {
        self.job = job
        self.epoch = epoch
    }

    /// `job/epoch`.
    public var description: String { "\(job)/\(epoch)" }
}

/// A lease as its holder reports it: with how far the work has come.
public struct HeldLease: Hashable, Sendable {
    /// The lease.
    public var lease: Lease
    /// Grows while the work advances, 0 before it starts; a lease renews only when this grows.
    public var progress: UInt64
    /// Whether the work is done and only waits to be written or answered.
    public var isComputed: Bool

    /// A lease and its progress.
    public init(_ lease: Lease, progress: UInt64 = 0, isComputed: Bool = false) {
        self.lease = lease
        self.progress = progress
        self.isComputed = isComputed
    }
}
