internal import JobModel
internal import SeededRandomness

/// Decides which worker runs which job: events go in, actions come out; it does no I/O and has no clock.
///
/// Every event costs O(log n) in the number of jobs, apart from those that bring or cancel many. What it guarantees:
/// - An attempt has one lease, and each new one of a job a greater epoch; results of attempts that ended are refused.
///   A job has one attempt at a time, apart from second runs that its batch asked for: then the first result counts.
/// - A worker never gets more jobs than it offered to take.
/// - A lease that makes no progress expires, a silent worker is lost, and their jobs wait again, ahead of the others.
/// - A job over which too many workers were lost is given up, with the reason. Before that it runs by itself, on a
///   worker that holds nothing, once no other job of its batch waits: its neighbours are not given up with it.
/// - A job that failed in a way that may pass runs again after a pause, as often as its batch allows.
/// - Batches of higher priority go first, equal ones in turn; the jobs of one go out in the order of submission,
///   consecutive ones of one picture to one worker.
public struct Scheduler: ~Copyable {
    let settings: SchedulerSettings
    var now: Moment
    var random: SplitMix64
    var batches: [BatchEntry] = []
    var batchIndex: [BatchID: Int32] = [:]
    var jobs: [JobID: JobEntry] = [:]
    /// The attempt of each running job.
    var leases: [JobID: LeaseEntry] = [:]
    /// Second attempts, beside those in `leases`.
    var seconds: [JobID: LeaseEntry] = [:]
    var workers: [WorkerName: WorkerEntry] = [:]
    /// Batches that may have jobs to hand out.
    var rounds = Rounds()
    /// Workers that want jobs, in turn.
    var line = Line<WorkerName>()
    /// Workers that want jobs and that none of the waiting ones is for, numbered in the order in which that was found. They
    /// are not asked about again before something changes for them.
    var passedOver: [WorkerName: Int] = [:]
    var lastPassedOver = 0
    var timers = PriorityQueue<Timer>()
    /// Who had the last attempt at a job where it is over without a result, which counts all the same should it come.
    var formerHolders: [JobID: WorkerName] = [:]
    /// After a restart, the jobs whose last attempts workers had that are yet to come back, and who had each.
    var expected: [WorkerName: Set<JobID>] = [:]
    var expectedHolder: [JobID: WorkerName] = [:]
    /// Whether jobs and workers that wait for each other were left for the next event, because there were very many.
    var isBehind = false
    var isOnPatrol = false
    var hasOrphanTimer = false

    /// A scheduler with nothing to do.
    ///
    /// - Parameter seed: what the random parts of pauses follow from.
    public init(settings: SchedulerSettings, at now: Moment, seed: UInt64 = 0) {
        self.settings = settings
        self.now = now
        random = SplitMix64(seed: seed)
    }

    /// The next moment at which `timePassed` may have something to do.
    public var nextDeadline: Moment? { isBehind ? now : timers.first?.due }

    /// Adjusts the number of jobs per state.
    mutating func count(_ batch: Int32, _ from: JobState?, _ to: JobState) {
        if let from { batches[Int(batch)].counts[from] -= 1 }
        batches[Int(batch)].counts[to] += 1
    }

    /// Whether so many workers were lost over a job that it runs by itself.
    borrowing func isSuspect(_ entry: JobEntry) -> Bool {
        Int(entry.losses) >= batches[Int(entry.batch)].suspectAfter
    }

    /// The attempt of a lease while it counts.
    borrowing func attempt(_ lease: Lease) -> LeaseEntry? {
        if let entry = leases[lease.job], entry.epoch == lease.epoch { return entry }
        if !seconds.isEmpty, let entry = seconds[lease.job], entry.epoch == lease.epoch { return entry }
        return nil
    }

    /// Changes an attempt that counts.
    mutating func update(_ job: JobID, _ entry: LeaseEntry) {
        if leases[job]?.epoch == entry.epoch { leases[job] = entry } else { seconds[job] = entry }
    }

    /// Takes every attempt of a job off its worker and off the leases; returns who had them.
    @discardableResult
    mutating func endAttempts(of job: JobID) -> [(worker: WorkerName, lease: Lease)] {
        var holders: [(worker: WorkerName, lease: Lease)] = []
        func note(_ entry: LeaseEntry?) {
            guard let entry, let worker = entry.worker else { return }
            holders.append((worker, Lease(job: job, epoch: entry.epoch)))
        }
        note(leases.removeValue(forKey: job))
        if !seconds.isEmpty { note(seconds.removeValue(forKey: job)) }
        for holder in holders { take(job, off: holder.worker) }
        return holders
    }

    /// A worker does not hold a job any more. With nothing in hand it may take what it could not before.
    private mutating func take(_ job: JobID, off name: WorkerName) {
        workers[name]?.leases.remove(job)
        if workers[name]?.leases.isEmpty == true { reconsider(name) }
    }

    /// An attempt ended without a result. Its job waits again, or runs on where it has another attempt, or ends where its
    /// losses or failures are too many.
    mutating func giveBack(
        _ lease: Lease, toll: JobToll, because end: AttemptEnd?, _ actions: inout [SchedulerAction]
    ) {
        let job = lease.job
        guard var entry = jobs[job], let attempt = attempt(lease) else { return }
        let options = batches[Int(entry.batch)].options
        switch toll {
        case .none: break
        case .loss: entry.losses = entry.losses == .max ? .max : entry.losses + 1
        case .failure: entry.failures = entry.failures == .max ? .max : entry.failures + 1
        }
        jobs[job] = entry
        if lease.epoch == entry.epoch { formerHolders[job] = attempt.worker }
        if leases[job]?.epoch != lease.epoch || seconds[job] != nil {
            if let worker = attempt.worker { take(job, off: worker) }
            if leases[job]?.epoch == lease.epoch { leases[job] = seconds[job] }
            seconds[job] = nil
            actions.append(.store(.withdrawn(lease, toll: toll, because: end)))
            return
        }
        endAttempts(of: job)
        if Int(entry.losses) >= options.crashLimit {
            var end = end ?? AttemptEnd(worker: attempt.worker, reason: "handed back")
            end.reason = "given up after \(entry.losses) lost attempts; the last one: \(end.reason)"
            actions.append(.store(.quarantined(lease, toll: toll, because: end)))
            return self.end(job, entry, from: .running, to: .failed, &actions)
        }
        let rule = options.retryRule(end?.errorClass ?? .other)
        if toll == .failure, let end, Int(entry.failures) > rule.limit {
            actions.append(.store(.failed(lease, because: end)))
            return self.end(job, entry, from: .running, to: .failed, &actions)
        }
        actions.append(.store(.requeued(lease, toll: toll, because: end)))
        count(entry.batch, .running, .waiting)
        let pause =
            toll == .failure
            ? rule.pause(after: Int(entry.failures), jitter: Double.random(in: 0..<1, using: &random)) : .zero
        if pause > .zero {
            jobs[job]?.isDelayed = true
            batches[Int(entry.batch)].delayed += 1
            timers.push(Timer(due: now + pause, subject: .retry(Lease(job: job, epoch: entry.epoch))))
        } else {
            batches[Int(entry.batch)].queue.requeue(job, isSuspect: isSuspect(entry))
            joinRound(entry.batch)
        }
    }

    /// A job has ended; the batch too where it was the last.
    mutating func end(
        _ job: JobID, _ entry: JobEntry, from: JobState, to: JobState, _ actions: inout [SchedulerAction]
    ) {
        endAttempts(of: job)
        jobs[job] = nil
        formerHolders[job] = nil
        if entry.isDelayed { batches[Int(entry.batch)].delayed -= 1 }
        count(entry.batch, from, to)
        let batch = batches[Int(entry.batch)]
        if to == .failed, !batch.state.isFinal, let limit = batch.options.maxFails,
            limit.isExceeded(failed: batch.counts[.failed], of: batch.counts.total)
        {
            let reason = "\(batch.counts[.failed]) jobs failed, more than the \(limit) that may"
            cancel(entry.batch, reason: reason, &actions)
        }
        finishIfDone(entry.batch, &actions)
    }

    /// Ends a closed batch without unfinished jobs.
    mutating func finishIfDone(_ batch: Int32, _ actions: inout [SchedulerAction]) {
        let index = Int(batch)
        guard batches[index].state == .running, batches[index].counts.unfinished == 0 else { return }
        batches[index].state = .finished
        batches[index].queue = BatchQueue()
        actions.append(.store(.batchFinished(batches[index].id)))
    }
}
