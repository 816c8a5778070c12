internal import Foundation
internal import JobModel
internal import JobStore
internal import Logging
internal import Monitoring
internal import Scheduling
internal import WireProtocol

/// The coordinator without its sockets: messages go in, durable changes are made, messages come out.
///
/// It decides nothing: the scheduler does. It translates between messages, scheduler and store, and keeps the order
/// that everything rests on: store, commit, and only then send.
struct Coordination: ~Copyable {
    /// A connection on which a worker said hello.
    struct WorkerPeer {
        var name: WorkerName
        /// Batches whose settings this connection has been sent.
        var knownBatches: Set<BatchID> = []
    }

    let configuration: CoordinatorConfiguration
    let logger: Logger
    var scheduler: Scheduler
    var store: JobStore
    var records: [BatchID: BatchRecord] = [:]
    var peers: [[UInt8]: WorkerPeer] = [:]
    var peerOf: [WorkerName: [UInt8]] = [:]
    var outgoing: [Outgoing] = []
    var metrics: CoordinatorMetrics
    /// Messages that were not understood.
    var malformed = 0
    /// When a shutdown was asked for, until when it waits.
    var drainDeadline: Moment?
    /// The clocks as of the current group of messages.
    var now: Moment
    var wallClock: Date

    /// A coordinator over a store; `recover` takes up what is unfinished in it.
    init(
        _ configuration: CoordinatorConfiguration, store: consuming JobStore, logger: Logger, now: Moment,
        wallClock: Date
    ) {
        self.configuration = configuration
        self.logger = logger
        self.now = now
        self.wallClock = wallClock
        metrics = CoordinatorMetrics(now: now)
        scheduler = Scheduler(settings: configuration.scheduling, at: now)
        self.store = store
    }

    /// Whether a shutdown that was asked for is complete.
    var isDrained: Bool {
        guard let drainDeadline else { return false }
        return now >= drainDeadline || !scheduler.allWorkers(at: now).contains { $0.state != .lost }
    }

    /// When something is due, for the loop to wake up.
    var nextDeadline: Moment? {
        [scheduler.nextDeadline, drainDeadline].compactMap { $0 }.min()
    }

    /// Notes the time; the events of a group of messages happen at the same moment.
    mutating func setTime(_ now: Moment, _ wallClock: Date) {
        self.now = now
        self.wallClock = wallClock
    }

    /// Lets the scheduler find what is overdue; called after the messages that have arrived.
    mutating func timePassed() throws {
        try perform(scheduler.timePassed(to: now), byTime: true)
    }

    /// Makes the changes durable; only the returned messages may be sent, and only now.
    mutating func commit() throws -> [Outgoing] {
        let began = ContinuousClock.now
        if try store.commit() { metrics.counters.commitTime.observe((ContinuousClock.now - began) / .seconds(1)) }
        defer { outgoing = [] }
        return outgoing
    }

    /// A message could not be sent: its connection is gone. Jobs in it wait again.
    mutating func undeliverable(_ message: Outgoing) throws {
        guard message.port == .workers, let peer = peers.removeValue(forKey: message.peer) else { return }
        if peerOf[peer.name] == message.peer { peerOf[peer.name] = nil }
        logger.warning("worker cannot be reached", metadata: [LogKey.worker: "\(peer.name)"])
        if let assigned = message.assigned {
            try perform(scheduler.jobsReturned(assigned.leases, by: assigned.worker, at: now))
        }
    }

    /// Takes up the batches of an earlier run.
    mutating func recover() throws {
        for batch in try store.batches() {
            records[batch.id] = BatchRecord(
                json: batch.description, description: try BatchDescription(json: batch.description),
                closedAt: batch.closedAt, finishedAt: batch.finishedAt)
            var ended = batch.counts
            ended[.waiting] = 0
            ended[.running] = 0
            scheduler.batchOpened(batch.id, state: batch.state, ended: ended)
            guard !batch.state.isFinal else { continue }
            var last = JobID(0)
            while true {
                let page = try store.unfinishedJobs(of: batch.id, after: last, limit: 10_000)
                guard let end = page.last else { break }
                last = end.id
                let jobs = page.map {
                    NewJob(
                        id: $0.id, image: imageNumber($0.image), epoch: $0.epoch, losses: $0.losses,
                        wasRunning: $0.wasRunning)
                }
                try perform(scheduler.jobsAdded(jobs, to: batch.id, at: now))
            }
            logger.info(
                "took up a batch",
                metadata: [LogKey.batch: "\(batch.id)", LogKey.jobs: "\(batch.counts.unfinished)"])
        }
    }
}

/// A number for a picture's path, equal for equal paths (FNV-1a); a collision costs nothing but a detour.
func imageNumber(_ path: String) -> UInt64 {
    path.utf8.reduce(0xcbf2_9ce4_8422_2325) { ($0 ^ UInt64($1)) &* 0x100_0000_01b3 }
}
