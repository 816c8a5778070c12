internal import JobModel

/// What waits, as somebody sees it who could start workers for it.
public struct WorkerDemand: Sendable, Hashable {
    /// Jobs that wait and that such a worker could run.
    public var waiting: UInt64 = 0
    /// Why it could not run others that wait; nil if it could.
    public var hindrance: String?
}

extension Scheduler {
    /// What there is to do for workers that take jobs for `time` and whose names begin with `prefix`.
    ///
    /// Jobs count that could be handed out now and were not, for want of a worker. Those of a batch do not whose median is
    /// longer than the time, nor those that a worker of that name tried and could not run.
    public borrowing func demand(ofWorkers prefix: String, within time: Duration) -> WorkerDemand {
        var demand = WorkerDemand()
        for (index, batch) in batches.enumerated() where batch.state == .running && batch.counts[.waiting] > 0 {
            if let hindrance = hindrance(of: Int32(index), forWorkers: prefix, within: time) {
                demand.hindrance = demand.hindrance ?? hindrance
            } else {
                demand.waiting += batch.counts[.waiting] - min(batch.delayed, batch.counts[.waiting])
            }
        }
        return demand
    }

    private borrowing func hindrance(of index: Int32, forWorkers prefix: String, within time: Duration) -> String? {
        let batch = batches[Int(index)]
        if batch.isPaused { return "batch \(batch.id) is paused" }
        if let median = batch.durations.median, .seconds(median) > time {
            return "a job of batch \(batch.id) takes \(Int(median.rounded(.up))) s, longer than the "
                + "\(Int(time / .seconds(1))) s in which a worker takes jobs"
        }
        for (name, worker) in workers where !worker.isLost && name.rawValue.hasPrefix(prefix) {
            if let unfit = worker.unfit[index], unfit.until > now { return "batch \(batch.id): \(unfit.reason)" }
        }
        return nil
    }
}

extension Explanation {
    /// Whether the job would run if there were more workers, or others.
    public var wantsWorkers: Bool {
        switch self {
        case .noWorkers, .unfit, .noCredit, .suspect: true
        case .notPending, .batchOpen, .batchPaused, .pausing, .behind, .running: false
        }
    }
}
