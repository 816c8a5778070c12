public import JobModel

/// Why a job is not running, or where it runs.
public enum Explanation: Sendable, Hashable, CustomStringConvertible {
    /// The scheduler does not know the job: it has ended, or never was.
    case notPending
    /// The job's batch is still being submitted.
    case batchOpen(BatchID)
    /// The job's batch is paused.
    case batchPaused(BatchID)
    /// The job waits because no worker is connected.
    case noWorkers(BatchID, losses: Int)
    /// Every worker that is there said that it cannot run this batch.
    case unfit(BatchID, workers: Int, reason: String)
    /// The job failed and pauses before its next attempt.
    case pausing(BatchID, failures: Int)
    /// The job has lost so many workers that it waits for one that holds nothing else.
    case suspect(BatchID, losses: Int)
    /// Batches of higher priority go first.
    case behind(BatchID, priority: Int32)
    /// The job waits because no worker has offered to take more jobs.
    case noCredit(BatchID, workers: Int, waitingInBatch: UInt64, losses: Int)
    /// The job runs; `worker` is nil if its holder has not come back since the coordinator's restart.
    case running(Lease, worker: WorkerName?, progress: UInt64, expiresIn: Duration)

    /// The explanation as a sentence.
    public var description: String {
        switch self {
        case .notPending: "the job has ended or does not exist"
        case .batchOpen(let batch): "batch \(batch) is still being submitted; its jobs run once it is closed"
        case .batchPaused(let batch): "batch \(batch) is paused; `winnow resume \(batch)` lets its jobs go"
        case .noWorkers(let batch, let losses):
            "it waits in batch \(batch): no worker is connected; start one\(Self.lossText(losses))"
        case .unfit(let batch, let workers, let reason):
            "it waits in batch \(batch): "
                + (workers == 1 ? "the only worker cannot run it" : "none of the \(workers) workers can run it")
                + ", because \(reason)"
        case .pausing(let batch, let failures):
            "it waits in batch \(batch): "
                + (failures == 1 ? "an attempt" : "\(failures) attempts") + " failed, and it pauses before the next one"
        case .suspect(let batch, let losses):
            "it waits in batch \(batch) for a worker that holds nothing else, after \(losses) lost attempts"
        case .behind(let batch, let priority):
            "it waits in batch \(batch): jobs of priority \(priority) go first"
        case .noCredit(let batch, let workers, let waiting, let losses):
            "it waits in batch \(batch) among \(waiting): "
                + (workers == 1 ? "the only worker is busy" : "all \(workers) workers are busy") + Self.lossText(losses)
        case .running(let lease, let worker?, let progress, let left):
            "attempt \(lease.epoch) runs on worker \(worker) (progress \(progress)); the lease ends in \(Self.seconds(left))"
        case .running(let lease, nil, _, let left):
            "the worker of attempt \(lease.epoch) has \(Self.seconds(left)) to come back after the coordinator's restart"
        }
    }

    private static func seconds(_ time: Duration) -> String { "\(max(0, Int((time / .seconds(1)).rounded(.up)))) s" }

    private static func lossText(_ losses: Int) -> String {
        losses == 0 ? "" : losses == 1 ? "; one attempt was lost" : "; \(losses) attempts were lost"
    }
}

extension Scheduler {
    /// Why a job is not running, or where it runs.
    public borrowing func explain(_ job: JobID) -> Explanation {
        guard let entry = jobs[job] else { return .notPending }
        if let lease = leases[job] {
            return .running(
                Lease(job: job, epoch: lease.epoch), worker: lease.worker, progress: lease.progress,
                expiresIn: lease.deadline - now)
        }
        let batch = batches[Int(entry.batch)]
        if batch.state == .open { return .batchOpen(batch.id) }
        if batch.isPaused { return .batchPaused(batch.id) }
        if entry.isDelayed { return .pausing(batch.id, failures: Int(entry.failures)) }
        let present = presentWorkers
        if present == 0 { return .noWorkers(batch.id, losses: Int(entry.losses)) }
        if let reason = trouble(of: entry.batch) { return .unfit(batch.id, workers: present, reason: reason) }
        for other in rounds.batches.map({ [batches] in batches[Int($0)] }) {
            let priority = other.options.priority
            guard other.isRunnable, other.counts[.waiting] > other.delayed, priority > batch.options.priority
            else { continue }
            return .behind(batch.id, priority: priority)
        }
        if isSuspect(entry) { return .suspect(batch.id, losses: Int(entry.losses)) }
        return .noCredit(
            batch.id, workers: present, waitingInBatch: batch.counts[.waiting], losses: Int(entry.losses))
    }

    /// Workers that take jobs.
    var presentWorkers: Int { workers.values.count { !$0.isLost && !$0.isDraining } }

    /// Why no connected worker could run a batch when it last tried; nil if one may do.
    borrowing func trouble(of batch: Int32) -> String? {
        var reason: String?
        for (name, worker) in workers where !worker.isLost && !worker.isDraining {
            guard let its = worker.unfit[batch]?.reason ?? shortness(of: name, for: batch) else { return nil }
            reason = min(reason ?? its, its)
        }
        return reason
    }
}
