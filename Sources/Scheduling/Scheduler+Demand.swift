public import JobModel

/// The jobs that wait, as somebody sees them who could start workers for them.
public struct WorkerDemand: Sendable, Hashable {
    /// Jobs that wait and that such a worker could run.
    public var waiting: UInt64 = 0
    /// Why it could not run others that wait; nil if it could.
    public var hindrance: String?

    /// A demand of no jobs.
    public init() {}
}

extension Scheduler {
    /// What there is to do for workers that take jobs for `time` and whose names begin with `prefix`.
    ///
    /// Jobs count that could be handed out now and were not, for want of a worker. Those of a batch do not whose median is
    /// longer than the time, nor those that a worker of that name tried and could not run.
    public borrowing func demand(ofWorkers prefix: String, within time: Duration) -> WorkerDemand {
        var demand = WorkerDemand()
        let own = ownWorkers(prefix)
        for (index, batch) in batches.enumerated() where batch.state == .running && batch.counts[.waiting] > 0 {
            if let hindrance = hindrance(of: Int32(index), for: own, within: time) {
                demand.hindrance = demand.hindrance ?? hindrance
            } else {
                demand.waiting += batch.counts[.waiting] - min(batch.delayed, batch.counts[.waiting])
            }
        }
        return demand
    }

    /// Why such workers could run no job of a batch; nil if they could.
    public borrowing func hindrance(of id: BatchID, forWorkers prefix: String, within time: Duration) -> String? {
        batchIndex[id].flatMap { hindrance(of: $0, for: ownWorkers(prefix), within: time) }
    }

    /// The workers whose names begin with `prefix` and that are there.
    private borrowing func ownWorkers(_ prefix: String) -> [WorkerEntry] {
        workers.filter { !$1.isLost && !$1.isDraining && $0.rawValue.hasPrefix(prefix) }.map(\.value)
    }

    /// That a worker could not run a batch speaks for the others of its kind only if none of them can.
    private borrowing func hindrance(of index: Int32, for own: [WorkerEntry], within time: Duration) -> String? {
        let batch = batches[Int(index)]
        if batch.isPaused { return "batch \(batch.id) is paused" }
        if let median = batch.durations.median, .seconds(median) > time {
            return "a job of batch \(batch.id) takes \(Int(median.rounded(.up))) s, longer than the "
                + "\(Int(time / .seconds(1))) s in which a worker takes jobs"
        }
        let reasons = own.compactMap { $0.unfit[index]?.reason }
        guard let reason = reasons.first, reasons.count == own.count else { return nil }
        return "batch \(batch.id): \(reason)"
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
