internal import JobModel
internal import Scheduling
internal import WireProtocol

/// Queues of machines that a batch engine lends: a process of their own asks for them, and says here how they stand.
extension Coordination {
    /// What a queue last said of itself.
    struct QueueStanding {
        var name: String
        var text: String
        /// How long one of its workers takes jobs.
        var time: Duration
        var at: Moment
        /// The connection of the process that serves it.
        var reporter: [UInt8]
    }

    /// Most queues that are remembered.
    private static let mostQueues = 1_000
    /// How long a queue's word holds.
    private static let standingHolds = Duration.seconds(120)

    /// Notes how queues stand, and tells what there is to do for each. Queues that the same process named before and names no
    /// more are gone.
    mutating func take(_ report: WireAllocationsReport, from peer: [UInt8]) throws -> WireAllocationsAnswer {
        guard report.queues.count <= Self.mostQueues else {
            throw ClientRefusal("implausible", "There are \(report.queues.count) queues, more than \(Self.mostQueues).")
        }
        let heard = now
        standings = standings.filter { heard - $0.value.at < Self.standingHolds && $0.value.reporter != peer }
        if standings.count > Self.mostQueues { standings = [:] }
        for queue in report.queues {
            standings[queue.workers] = QueueStanding(
                name: queue.name, text: queue.standing.shortened(), time: .seconds(queue.takesJobsSeconds), at: now,
                reporter: peer)
        }
        let workers = scheduler.allWorkers(at: now).filter { $0.state != .lost }
        var answer = WireAllocationsAnswer()
        answer.demands = report.queues.map { queue in
            let found = scheduler.demand(ofWorkers: queue.workers, within: .seconds(queue.takesJobsSeconds))
            var demand = WireAllocationDemand()
            demand.waiting = found.waiting
            demand.hindrance = found.hindrance ?? ""
            demand.workers = workers.filter { $0.name.rawValue.hasPrefix(queue.workers) }
                .map { WireWorkerStatus($0, originOf[$0.name]) }
            return demand
        }
        return answer
    }

    /// What queues say about why there are no more workers for a batch; empty where there is none.
    borrowing func words(ofQueuesFor explanation: Explanation, of batch: BatchID) -> String {
        guard explanation.wantsWorkers else { return "" }
        var words = ""
        for (prefix, standing) in standings.sorted(by: { $0.key < $1.key }) where now - standing.at < Self.standingHolds
        {
            let hindrance = scheduler.hindrance(of: batch, forWorkers: prefix, within: standing.time)
            words += "; allocation queue \(standing.name): \(hindrance ?? standing.text)"
        }
        return words
    }
}
