internal import JobModel

/// A job that has not ended.
struct JobEntry {
    var batch: Int32
    /// Jobs of one run share a picture.
    var run: Int32
    /// Workers lost over it.
    var losses: UInt16
    /// The last attempt.
    var epoch: Epoch
}

/// The attempt of a job that runs.
struct LeaseEntry {
    /// nil after a restart of the coordinator, until the holder comes back.
    var worker: WorkerName?
    var progress: UInt64
    var deadline: Moment
}

/// A batch, ended ones included: their numbers stay on show.
struct BatchEntry {
    var id: BatchID
    var state: BatchState
    var counts: JobCounts
    var queue = BatchQueue()
    /// Whether it is in the round of batches with waiting jobs.
    var inRound = false
}

/// A worker that said hello.
struct WorkerEntry {
    var session: SessionID
    /// Sessions of the same name that a newer one took over from.
    var formerSessions: Set<SessionID> = []
    var capacity: Int
    /// Jobs it will take now.
    var free = 0
    var leases: Set<JobID> = []
    var finished: UInt64 = 0
    var lastHeard: Moment
    var isLost = false
    var isDraining = false
    /// Whether it is in the line of workers that want jobs.
    var inLine = false
    /// Whether a timer watches over its silence.
    var isWatched = false
}

/// A moment at which something may be overdue; whether it is shows when the moment comes.
struct Timer: Comparable {
    enum Subject: Hashable {
        case lease(Lease)
        case worker(WorkerName)
    }
    var due: Moment
    var subject: Subject

    static func < (a: Timer, b: Timer) -> Bool { a.due < b.due }
}
