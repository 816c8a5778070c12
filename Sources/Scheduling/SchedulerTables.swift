internal import JobModel

/// A job that has not ended.
struct JobEntry {
    var batch: Int32
    /// Jobs of one run share a picture.
    var run: Int32
    /// Workers lost over the job since it was last retried.
    var losses: UInt16
    /// Failures since it was last let off.
    var failures: UInt16
    /// The last attempt.
    var epoch: Epoch
    /// Whether it pauses before its next attempt; a timer ends that.
    var isDelayed = false
}

/// An attempt that runs.
struct LeaseEntry {
    var epoch: Epoch
    /// nil after a restart of the coordinator, until the holder comes back.
    var worker: WorkerName?
    var progress: UInt64
    var deadline: Moment
    /// When its worker was first heard to work on it.
    var begunAt: Moment?
    /// Whether its result only waits to be written or answered: it cannot run too long any more.
    var isComputed = false

    /// How long it has been worked on; nil before that began and once it is done.
    func workTime(at now: Moment) -> Duration? { isComputed ? nil : begunAt.map { now - $0 } }
}

/// A batch, ended ones included: their numbers stay on show until it is forgotten.
struct BatchEntry {
    var id: BatchID
    var state: BatchState
    var counts: JobCounts
    var options: QueueOptions
    var isPaused = false
    var queue = BatchQueue()
    /// Of the waiting jobs, those that pause before their next attempt.
    var delayed: UInt64 = 0
    /// How long its attempts took, since the coordinator's start.
    var durations = DurationHistogram()
    /// Whether it is in the round of batches that may have jobs to hand out.
    var inRound = false
    /// Whether nobody may see it any more.
    var isForgotten = false

    /// Whether its jobs may be handed out.
    var isRunnable: Bool { state == .running && !isPaused }
    /// After how many losses a job is a suspect and runs by itself, so that the last losses are its own doing.
    var suspectAfter: Int { max(1, options.crashLimit - 2) }
    /// Whether somebody has to look at its running attempts now and then.
    var needsPatrol: Bool { state == .running && (options.timeout != nil || options.secondRuns) }
}

/// A worker that said hello.
struct WorkerEntry {
    /// Why a worker could not run a batch when it last tried, and until when it gets no jobs of it.
    struct Unfitness {
        var reason: String
        var until: Moment
        /// How long this wait is.
        var wait: Duration
    }

    var session: SessionID
    /// Sessions of the same name that a newer one took over from, the last ones.
    var formerSessions: [SessionID] = []
    /// Jobs it works on at the same time.
    var capacity: Int
    /// Jobs it takes beside those.
    var prefetch = 0
    /// Jobs it will take now.
    var free = 0
    var leases: Set<JobID> = []
    var finished: UInt64 = 0
    var lastHeard: Moment
    var isLost = false
    /// Why it is lost.
    var lossReason = ""
    var isDraining = false
    /// Whether it is in the line of workers that want jobs, or was passed over there.
    var inLine = false
    /// Whether a timer watches over its silence.
    var isWatched = false
    /// Whether a timer watches over its leases.
    var hasLeaseTimer = false
    /// Batches of which it may have the rest of a run to itself.
    var begun: Set<Int32> = []
    /// Batches that the worker could not run, until it sends a result of theirs.
    var unfit: [Int32: Unfitness] = [:]
    /// When it takes no more jobs; nil if nothing limits its time.
    var endsAt: Moment?
    /// Different jobs that failed on it without one that succeeded since, as many as are needed to suspect it.
    var failedInRow: Set<JobID> = []
    /// How often it had to rest without a success since.
    var rests = 0
    /// Until when it gets no jobs, because everything failed on it.
    var restsUntil: Moment?

    /// Jobs it can have unanswered.
    var places: Int { capacity + prefetch }
}

/// A moment at which something may be overdue; whether it is shows when the moment comes.
struct Timer: Comparable {
    enum Subject: Hashable {
        /// The leases of a worker.
        case leases(WorkerName)
        /// Leases whose holders have not come back since the restart.
        case orphans
        /// A worker's silence.
        case worker(WorkerName)
        /// A lost worker is to be forgotten.
        case forget(WorkerName)
        /// A worker may be able to run a batch again.
        case unfit(WorkerName)
        /// A job's pause before its next attempt is over.
        case retry(Lease)
        /// Attempts that run too long.
        case patrol
    }
    var due: Moment
    var subject: Subject

    static func < (a: Timer, b: Timer) -> Bool { a.due < b.due }
}
