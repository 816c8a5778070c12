public import JobModel

/// A batch as it stands.
public struct BatchView: Sendable, Hashable {
    /// The batch.
    public var id: BatchID
    /// Where it is in its life.
    public var state: BatchState
    /// Its jobs per state.
    public var counts: JobCounts
}

/// A worker as the scheduler sees it.
public struct WorkerView: Sendable, Hashable {
    /// What a worker is doing.
    public enum State: String, Sendable, Hashable { case idle, busy, draining, lost }
    /// Its name.
    public var name: WorkerName
    /// What it is doing.
    public var state: State
    /// Jobs it holds.
    public var running: Int
    /// Jobs it can hold.
    public var capacity: Int
    /// Jobs it has ended in this session.
    public var finished: UInt64
    /// Time since it was last heard.
    public var silence: Duration
}

/// Why a job is not running, or where it runs.
public enum Explanation: Sendable, Hashable, CustomStringConvertible {
    /// The scheduler does not know the job: it has ended, or never was.
    case notPending
    /// Its batch is still being submitted.
    case batchOpen(BatchID)
    /// It waits although no worker is there.
    case noWorkers(BatchID, losses: Int)
    /// It waits because no worker has offered to take more jobs.
    case noCredit(BatchID, workers: Int, waitingInBatch: UInt64, losses: Int)
    /// It runs; the holder is nil where it has not come back since the coordinator's restart.
    case running(Lease, worker: WorkerName?, progress: UInt64, expiresIn: Duration)

    /// The explanation as a sentence.
    public var description: String {
        switch self {
        case .notPending: "the job has ended or does not exist"
        case .batchOpen(let batch): "batch \(batch) is still being submitted; its jobs run once it is closed"
        case .noWorkers(let batch, let losses):
            "it waits in batch \(batch): no worker is connected; start one\(Self.lossText(losses))"
        case .noCredit(let batch, let workers, let waiting, let losses):
            "it waits in batch \(batch) among \(waiting): all \(workers) workers are busy\(Self.lossText(losses))"
        case .running(let lease, let worker?, let progress, let left):
            "attempt \(lease.epoch) runs on worker \(worker) (progress \(progress)); the lease ends in \(left)"
        case .running(let lease, nil, _, let left):
            "the worker of attempt \(lease.epoch) has \(left) to come back after the coordinator's restart"
        }
    }

    private static func lossText(_ losses: Int) -> String { losses == 0 ? "" : "; \(losses) attempts were lost" }
}

extension Scheduler {
    /// Why a job is not running, or where it runs.
    public borrowing func explain(_ job: JobID) -> Explanation {
        guard let entry = jobs[job] else { return .notPending }
        if let lease = leases[job] {
            return .running(
                Lease(job: job, epoch: entry.epoch), worker: lease.worker, progress: lease.progress,
                expiresIn: lease.deadline - now)
        }
        let batch = batches[Int(entry.batch)]
        if batch.state == .open { return .batchOpen(batch.id) }
        let present = workers.values.count { !$0.isLost && !$0.isDraining }
        if present == 0 { return .noWorkers(batch.id, losses: Int(entry.losses)) }
        return .noCredit(
            batch.id, workers: present, waitingInBatch: batch.counts[.waiting], losses: Int(entry.losses))
    }

    /// One batch, or nil for an unknown one.
    public borrowing func batch(_ id: BatchID) -> BatchView? {
        guard let index = batchIndex[id] else { return nil }
        let entry = batches[Int(index)]
        return BatchView(id: entry.id, state: entry.state, counts: entry.counts)
    }

    /// All batches in the order of their opening.
    public borrowing func allBatches() -> [BatchView] {
        batches.map { BatchView(id: $0.id, state: $0.state, counts: $0.counts) }
    }

    /// All workers by name, lost ones included.
    public borrowing func allWorkers(at time: Moment) -> [WorkerView] {
        workers.map { name, entry in
            let busy: WorkerView.State = entry.leases.isEmpty ? .idle : .busy
            return WorkerView(
                name: name, state: entry.isLost ? .lost : entry.isDraining ? .draining : busy,
                running: entry.leases.count, capacity: entry.capacity, finished: entry.finished,
                silence: max(.zero, time - entry.lastHeard))
        }.sorted { $0.name.rawValue < $1.name.rawValue }
    }

    /// Whether a worker's messages count: it said hello and is not lost.
    public borrowing func isPresent(_ name: WorkerName) -> Bool { workers[name].map { !$0.isLost } ?? false }
}
