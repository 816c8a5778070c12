public import JobModel

extension WireLease {
    /// A lease as it travels.
    public init(_ lease: Lease, progress: UInt64 = 0) {
        self.init(job: lease.job.rawValue, epoch: lease.epoch.rawValue, progress: progress)
    }

    /// The lease, without its progress.
    public var lease: Lease { Lease(job: JobID(job), epoch: Epoch(epoch)) }

    /// The lease with its progress.
    public var heldLease: HeldLease { HeldLease(lease, progress: progress) }
}

extension WireSummary {
    /// A summary as it travels.
    public init(_ summary: JobSummary) {
        self.init()
        answer = summary.answer
        visualTokens = summary.visualTokens
        seconds = summary.seconds
    }

    /// The summary.
    public var jobSummary: JobSummary { JobSummary(answer: answer, visualTokens: visualTokens, seconds: seconds) }
}
