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
        /// Why jobs of each batch came back last, as was logged; a batch of which rows were reported since is not in it.
        var loggedReturns: [BatchID: String] = [:]
    }

    /// Where a worker came from.
    struct WorkerOrigin {
        /// The key that it came with, to which its name belongs; nil if it needs none.
        var key: String?
        /// What that key is called.
        var keyName: String?
        /// The machine that it says it runs on.
        var host: String
        /// Threads that it computes with; 0 if it does not say.
        var threads: UInt32
        /// Memory that it may use, in bytes; 0 if it does not say.
        var memoryBytes: UInt64
    }

    let configuration: CoordinatorConfiguration
    /// Where the coordinator listens for workers and clients.
    var endpoints: CoordinatorService.Endpoints

    /// An endpoint as somebody on another machine may take it: of one that means every address, only the port.
    static func shown(_ endpoint: String) -> String {
        let isEvery = ["//*:", "//0.0.0.0:", "//[::]:"].contains { endpoint.contains($0) }
        return isEvery ? "port \(endpoint.split(separator: ":").last ?? "") of this machine" : endpoint
    }
    let logger: Logger
    var scheduler: Scheduler
    var store: JobStore
    var records: [BatchID: BatchRecord] = [:]
    var peers: [[UInt8]: WorkerPeer] = [:]
    var peerOf: [WorkerName: [UInt8]] = [:]
    var originOf: [WorkerName: WorkerOrigin] = [:]
    /// How queues of machines stand, by the beginning of their workers' names.
    var standings: [String: QueueStanding] = [:]
    /// For names that several batches asked for, the last number behind one.
    var lastSuffixes: [String: Int] = [:]
    var outgoing: [Outgoing] = []
    /// Shards that were published for rows of the open group.
    var published: [PublishedShard] = []
    var metrics: CoordinatorMetrics
    /// Messages that were not understood.
    var malformed = DoublingCount()
    /// What workers may cause to be logged.
    var logRate = LogRate()
    /// Workers that were not let in.
    var refusedWorkers = DoublingCount()
    /// The request of a client that is being carried out, as an answer that is yet to be filled in.
    var answering: Outgoing?
    /// Whether changes can be made at present.
    var storeHealth: StoreHealth
    /// When to try whether changes can be made again.
    var nextProbe: Moment?
    /// When to remove the next piece of what forgotten batches and workers left in the store; nil if nothing is left.
    var nextTidying: Moment?
    /// When a shutdown was asked for, until when it waits.
    var drainDeadline: Moment?
    /// The clocks as of the current group of messages.
    var now: Moment
    var wallClock: Date
    /// When somebody last looked for what is overdue.
    private var lastLook: Moment

    /// A coordinator over a store; `recover` takes up what is unfinished in it.
    init(
        _ configuration: CoordinatorConfiguration, store: consuming JobStore, logger: Logger, now: Moment,
        wallClock: Date
    ) {
        self.configuration = configuration
        endpoints = .init(
            workers: configuration.workerEndpoint, clients: configuration.clientEndpoint, monitoring: nil)
        self.logger = logger
        self.now = now
        self.wallClock = wallClock
        lastLook = now
        metrics = CoordinatorMetrics(now: now)
        storeHealth = .sound(since: wallClock)
        scheduler = Scheduler(settings: configuration.scheduling, at: now, seed: .random(in: 0...UInt64.max))
        self.store = store
    }

    /// Whether a shutdown that was asked for is complete.
    var isDrained: Bool {
        guard let drainDeadline else { return false }
        return now >= drainDeadline || !scheduler.hasWorkers
    }

    /// When something is due, for the loop to wake up.
    var nextDeadline: Moment? {
        let own = storeHealth.isSound ? [scheduler.nextDeadline, nextTidying] : [nextProbe]
        return (own + [drainDeadline]).compactMap { $0 }.min()
    }

    /// Notes the time; the events of a group of messages happen at the same moment.
    mutating func setTime(_ now: Moment, _ wallClock: Date) {
        self.now = now
        self.wallClock = wallClock
    }

    /// Lets the scheduler find what is overdue; called after the messages that have arrived.
    mutating func timePassed() throws {
        lastLook = now
        guard storeHealth.isSound else { return try probeStore() }
        try perform(scheduler.timePassed(to: now), byTime: true)
    }

    /// Whether nobody has looked for what is overdue for a second.
    var isTimeOverdue: Bool { now - lastLook > .seconds(1) }

    /// Makes the changes durable; only the returned messages may be sent, and only now.
    mutating func commit() throws -> [Outgoing] {
        let began = ContinuousClock.now
        if try store.commit() { metrics.counters.commitTime.observe((ContinuousClock.now - began) / .seconds(1)) }
        settlePublished()
        defer { outgoing = [] }
        return outgoing
    }

    /// A message could not be sent: its connection is gone. Jobs in it wait again.
    mutating func undeliverable(_ message: Outgoing) throws {
        guard message.port == .workers else { return }
        if let peer = peers.removeValue(forKey: message.peer) {
            if peerOf[peer.name] == message.peer { peerOf[peer.name] = nil }
            logger.warning("worker cannot be reached", metadata: [LogKey.worker: "\(peer.name)"])
        }
        if let assigned = message.assigned {
            try perform(scheduler.jobsReturned(assigned.leases, by: assigned.worker, at: now))
        }
    }
}
