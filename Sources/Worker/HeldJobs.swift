internal import JobModel

/// The jobs that a worker holds, and how many of them still run.
struct HeldJobs: Sendable {
    enum Stage { case working, finished, reported }

    struct Held {
        var lease: Lease
        var stage: Stage
        /// Nil for one whose row a former process has written.
        var batch: BatchID?
        /// Progress from earlier holders, added to the present holder's count: the sum never goes down.
        var base: UInt64 = 0
    }

    private var jobs: [JobID: Held] = [:]
    /// Jobs in the runner.
    private(set) var working = 0
    /// Jobs that left the runner and wait to be written or answered.
    var ended: Int { jobs.count - working }
    /// All of them, in no order.
    var all: some Collection<Held> { jobs.values }

    /// What is held of a job.
    subscript(_ job: JobID) -> Held? {
        get { jobs[job] }
        set {
            let old = jobs[job]
            working += (newValue?.stage == .working ? 1 : 0) - (old?.stage == .working ? 1 : 0)
            jobs[job] = newValue
        }
    }
}
