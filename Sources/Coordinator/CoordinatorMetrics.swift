internal import Foundation
internal import JobModel
internal import Monitoring
internal import Scheduling

/// Counts of the coordinator's thread for the status page and metrics; snapshots carry copies.
struct CoordinatorMetrics {
    /// A failure, with its batch and its item once somebody has asked for them.
    struct Failure {
        var job: JobID
        var place: (batch: BatchID, item: ItemID)?
        var reason: String
        var at: Date
    }

    /// Failures that are remembered.
    private static let failureLimit = 50
    private static let reasonLimit = 500

    var counters = ServiceCounters()
    /// Jobs that ended in the last hour.
    private(set) var ended: EndedJobs
    /// The last ten minutes of each batch and worker.
    private(set) var endedOfBatch: [BatchID: EndedJobs] = [:]
    private(set) var endedOfWorker: [WorkerName: EndedJobs] = [:]
    /// Recent failures, newest last.
    var failures: [Failure] = []

    init(now: Moment) { ended = EndedJobs(interval: 10, intervals: 360, at: Self.seconds(now)) }

    static func seconds(_ moment: Moment) -> Double { moment.elapsed / .seconds(1) }

    /// Counts what the scheduler decided.
    ///
    /// - Parameter byTime: whether time alone caused it, rather than a message.
    mutating func note(_ actions: [SchedulerAction], byTime: Bool, at wallClock: Date) {
        var workerIsLost = false
        for action in actions {
            switch action {
            case .workerLost:
                counters.workersLost += 1
                workerIsLost = true
            case .revoke: workerIsLost = false
            case .store(let transition): note(transition, isExpiry: byTime && !workerIsLost, at: wallClock)
            case .workerForgotten(let worker): forget(worker)
            case .assign, .refuse: break
            }
        }
    }

    /// Counts the rows of a report that count.
    mutating func noteCommitted(succeeded: Int, failed: Int, of batch: BatchID, by worker: WorkerName, at now: Moment) {
        let seconds = Self.seconds(now)
        ended.note(succeeded: succeeded, failed: failed, at: seconds)
        func fresh() -> EndedJobs { EndedJobs(interval: 10, intervals: 60, at: seconds) }
        endedOfBatch[batch, default: fresh()].note(succeeded: succeeded, failed: failed, at: seconds)
        endedOfWorker[worker, default: fresh()].note(succeeded: succeeded, failed: failed, at: seconds)
    }

    /// Remembers since when a batch or a worker could have ended jobs.
    mutating func began(batch: BatchID? = nil, worker: WorkerName? = nil, at now: Moment) {
        let fresh = EndedJobs(interval: 10, intervals: 60, at: Self.seconds(now))
        if let batch, endedOfBatch[batch] == nil { endedOfBatch[batch] = fresh }
        if let worker, endedOfWorker[worker] == nil { endedOfWorker[worker] = fresh }
    }

    /// A worker is gone; its rate is of no use any more.
    mutating func forget(_ worker: WorkerName) { endedOfWorker[worker] = nil }

    /// A batch is gone, and what is shown of it.
    mutating func forget(_ batch: BatchID) {
        endedOfBatch[batch] = nil
        failures.removeAll { $0.place?.batch == batch }
    }

    private mutating func note(_ transition: JobTransition, isExpiry: Bool, at wallClock: Date) {
        switch transition {
        case .assigned, .seconded: counters.attempts += 1
        case .requeued(_, let toll, let end):
            counters.requeued += 1
            if isExpiry, toll == .loss, end?.worker != nil { counters.leaseExpiries += 1 }
        case .quarantined(let lease, _, let end):
            counters.ended["quarantined", default: 0] += 1
            if isExpiry, end.worker != nil { counters.leaseExpiries += 1 }
            noteFailure(lease.job, end.reason, at: wallClock)
        case .failed(let lease, let end):
            counters.ended["failed", default: 0] += 1
            noteFailure(lease.job, end.reason, at: wallClock)
        case .committed(let commit):
            counters.jobTime.observe(commit.summary.seconds)
            counters.ended[commit.error == nil ? "succeeded" : "failed", default: 0] += 1
            if let error = commit.error { noteFailure(commit.lease.job, error, at: wallClock) }
        case .batchFinished(let batch): endedOfBatch[batch] = nil
        case .batchCancelled(let batch, _, let jobs):
            counters.ended["cancelled", default: 0] += jobs
            endedOfBatch[batch] = nil
        default: break
        }
    }

    private mutating func noteFailure(_ job: JobID, _ reason: String, at wallClock: Date) {
        if failures.count == Self.failureLimit { failures.removeFirst() }
        failures.append(Failure(job: job, reason: String(reason.prefix(Self.reasonLimit)), at: wallClock))
    }
}
