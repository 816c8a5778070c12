internal import JobModel

/// Decides which worker runs which job: events go in, actions come out; it does no I/O and has no clock.
///
/// Every event costs O(log n) in the number of jobs, apart from those that bring or cancel many. What it guarantees:
/// - A job has at most one lease, and each new attempt a greater epoch; results of older attempts are refused.
/// - A worker never gets more jobs than it offered to take.
/// - A lease that makes no progress expires, a silent worker is lost, and their jobs wait again, ahead of the others.
/// - A job over which `lossLimit` workers were lost is given up, with the reason. Before that it runs by itself, on a
///   worker that holds nothing, once no other job of its batch waits: its neighbours are not given up with it.
/// - Jobs go out in the order of submission, consecutive ones of one picture to one worker, batches in turn.
public struct Scheduler: ~Copyable {
    let settings: SchedulerSettings
    var now: Moment
    var batches: [BatchEntry] = []
    var batchIndex: [BatchID: Int32] = [:]
    var jobs: [JobID: JobEntry] = [:]
    var leases: [JobID: LeaseEntry] = [:]
    var workers: [WorkerName: WorkerEntry] = [:]
    /// Batches with waiting jobs, in turn.
    var round = Line<Int32>()
    /// Workers that want jobs, in turn.
    var line = Line<WorkerName>()
    var timers = PriorityQueue<Timer>()

    /// A scheduler with nothing to do.
    public init(settings: SchedulerSettings, at now: Moment) {
        self.settings = settings
        self.now = now
    }

    /// The next moment at which `timePassed` may have something to do.
    public var nextDeadline: Moment? { timers.first?.due }

    /// Adjusts the number of jobs per state.
    mutating func count(_ batch: Int32, _ from: JobState?, _ to: JobState) {
        if let from { batches[Int(batch)].counts[from] -= 1 }
        batches[Int(batch)].counts[to] += 1
    }

    /// Whether so many workers were lost over a job that it runs by itself.
    borrowing func isSuspect(_ entry: JobEntry) -> Bool { Int(entry.losses) >= settings.suspectAfter }

    /// Takes a job off its worker and off the leases; the caller decides what comes next.
    mutating func endLease(of job: JobID) {
        guard let lease = leases.removeValue(forKey: job), let worker = lease.worker else { return }
        workers[worker]?.leases.remove(job)
    }

    /// A running job waits again; `loss` says why where the attempt counts against the job.
    mutating func requeue(_ job: JobID, loss: String?, _ actions: inout [SchedulerAction]) {
        guard var entry = jobs[job] else { return }
        endLease(of: job)
        if loss != nil { entry.losses = entry.losses == .max ? .max : entry.losses + 1 }
        let lease = Lease(job: job, epoch: entry.epoch)
        jobs[job] = entry
        if let loss, Int(entry.losses) >= settings.lossLimit {
            let reason = "given up after \(entry.losses) lost attempts; the last one: \(loss)"
            actions.append(.store(.quarantined(lease, losses: Int(entry.losses), reason: reason)))
            end(job, entry, from: .running, to: .failed, &actions)
        } else {
            count(entry.batch, .running, .waiting)
            batches[Int(entry.batch)].queue.requeue(job, isSuspect: isSuspect(entry))
            joinRound(entry.batch)
            actions.append(.store(.requeued(lease, losses: Int(entry.losses))))
        }
    }

    /// A job has ended; the batch too where it was the last.
    mutating func end(
        _ job: JobID, _ entry: JobEntry, from: JobState, to: JobState, _ actions: inout [SchedulerAction]
    ) {
        endLease(of: job)
        jobs[job] = nil
        count(entry.batch, from, to)
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
