internal import Foundation
internal import JobStore
public import Logging
internal import Monitoring
internal import Scheduling
private import Synchronization
internal import WireProtocol
public import ZeroMQ

/// The coordinator as a service: one thread that owns both sockets and the job store.
///
/// It loops: wait, take what has arrived, let the scheduler decide, commit, send. Messages that arrive while a commit is
/// under way make up the next group, so that busy times cost few commits.
public final class CoordinatorService: Sendable {
    /// Where a running coordinator listens.
    public struct Endpoints: Sendable, Hashable {
        /// For workers, with the port in full.
        public var workers: String
        /// For clients, with the port in full.
        public var clients: String
        /// The status page, with the port in full; nil if none is served.
        public var monitoring: String?
    }

    /// Most messages of one group.
    private static let groupLimit = 256
    /// Longest time in which messages join a group.
    private static let groupTime = Duration.milliseconds(5)

    private let configuration: CoordinatorConfiguration
    private let context: Context
    private let logger: Logger
    private let wakeup: Wakeup
    private let isStopped = Atomic(false)

    /// A coordinator that is not running yet.
    ///
    /// - Parameter context: the context of `inproc` endpoints; nil makes one.
    public init(_ configuration: CoordinatorConfiguration, context: Context? = nil, logger: Logger) throws {
        self.configuration = configuration
        self.context = try context ?? Context()
        self.logger = logger
        wakeup = try Wakeup()
    }

    /// Ends `run` soon, from any thread or task; workers stay and wait for the next coordinator.
    public func stop() {
        isStopped.store(true, ordering: .releasing)
        wakeup.signal()
    }

    /// Serves workers and clients on the calling thread until it is stopped or shut down; never call it on a task.
    ///
    /// Throws if the store or an endpoint cannot be used, or the store fails: nothing uncommitted was acknowledged.
    ///
    /// - Parameter ready: called once, when workers and clients can connect.
    public func run(ready: (Endpoints) -> Void = { _ in }) throws {
        var clock = ServingClock(at: .now)
        let store = try JobStore(at: configuration.store)
        if let hazard = StoreHazard(at: configuration.store.path) { logger.warning("\(hazard)") }
        var coordination = Coordination(
            configuration, store: store, logger: logger, now: clock.now, wallClock: Date())
        try coordination.recover()
        // libzmq accepts every connection if no authenticator answers, so the gatekeeper starts first, and the service
        // stops with it.
        let gatekeeper = try Gatekeeper(configuration, context: context, logger: logger) { [self] in stop() }
        defer { gatekeeper.end() }
        var admission = Admission(gatekeeper)
        let workers = try Socket(.router, in: context, options: gatekeeper.options(for: .workers))
        let clients = try Socket(.router, in: context, options: gatekeeper.options(for: .clients))
        gatekeeper.watch(.workers, try workers.reportConnections())
        gatekeeper.watch(.clients, try clients.reportConnections())
        let board = StatusBoard { [wakeup] in wakeup.signal() }
        let pages = try configuration.monitoring.map { try MonitoringServer($0, board: board) }
        defer { pages?.stop() }
        let startedAt = Date()
        let endpoints = Endpoints(
            workers: try workers.bind(configuration.workerEndpoint),
            clients: try clients.bind(configuration.clientEndpoint), monitoring: pages?.url)
        coordination.endpoints = endpoints
        for endpoint in [endpoints.workers, endpoints.clients, endpoints.monitoring].compactMap(\.self) {
            logger.info("listening", metadata: [LogKey.endpoint: "\(endpoint)"])
        }
        ready(endpoints)
        var mustHurry = false
        while !isStopped.load(ordering: .acquiring), !coordination.isDrained {
            let patience = coordination.nextDeadline.map { max(.zero, $0 - clock.now) } ?? ServingClock.longestWait
            _ = try Poller.wait(
                for: [workers.pollSource, clients.pollSource, wakeup.pollSource],
                timeout: mustHurry ? .zero : min(patience, ServingClock.longestWait))
            wakeup.clear()
            let began = ContinuousClock.now
            clock.read(at: began)
            coordination.setTime(clock.now, Date())
            let messages: [Outgoing]
            do {
                for peer in admission.revokedPeers({ coordination.peers[$0] != nil }) { try coordination.expel(peer) }
                try takeGroup(workers, clients, &coordination, &admission, began)
                messages = try coordination.commit()
            } catch let error as JobStoreError where error.isDisk {
                try coordination.storeFailed(error)
                messages = try coordination.commit()
            }
            mustHurry = false
            for message in messages {
                let isSent =
                    switch message.port {
                    case .workers: try send(message, on: workers)
                    case .clients: try send(message, on: clients)
                    }
                guard !isSent else {
                    coordination.metrics.counters.noteSent(message.frames, at: message.port)
                    continue
                }
                mustHurry = true
                do {
                    try coordination.undeliverable(message)
                } catch let error as JobStoreError where error.isDisk {
                    try coordination.storeFailed(error)
                }
            }
            do {
                try coordination.tidyUp()
            } catch let error as JobStoreError where error.isDisk {
                try coordination.storeFailed(error)
            }
            if board.isWanted {
                var snapshot = coordination.snapshot(startedAt: startedAt)
                snapshot.counters.add(gatekeeper, admission)
                board.post(snapshot)
            }
        }
        try gatekeeper.check()
        logger.info("stopped")
    }

    /// Takes what has arrived, one message of each side in turn, and lets time pass.
    private func takeGroup(
        _ workers: borrowing Socket, _ clients: borrowing Socket, _ coordination: inout Coordination,
        _ admission: inout Admission, _ began: ContinuousClock.Instant
    ) throws {
        var taken = 0
        while taken < Self.groupLimit, ContinuousClock.now - began < Self.groupTime {
            let before = taken
            if let message = try next(workers, .workers, &coordination, &admission) {
                taken += 1
                if let peer = message.frames.first {
                    try coordination.received(
                        fromWorker: message.frames.dropFirst(), peer: peer, sender: message.sender
                    ) { admission.keyName(of: message.sender) }
                }
            }
            if let message = try next(clients, .clients, &coordination, &admission) {
                taken += 1
                if let peer = message.frames.first {
                    try coordination.received(fromClient: message.frames.dropFirst(), peer: peer)
                }
            }
            if taken == before { break }
        }
        // Whoever may be overdue has had the chance to be heard: what had arrived is taken.
        // Somebody who never stops talking must not stop the clock for the others, though.
        if taken < Self.groupLimit || coordination.isTimeOverdue { try coordination.timePassed() }
    }

    /// The next message, nil if there is none; an oversized one and one of a revoked sender come out empty.
    private func next(
        _ socket: borrowing Socket, _ port: AccessPort, _ coordination: inout Coordination, _ admission: inout Admission
    ) throws -> Socket.Message? {
        let nothing = Socket.Message(frames: [], sender: nil)
        do {
            guard let message = try socket.receiveMessage() else { return nil }
            coordination.metrics.counters.noteReceived(message.frames, at: port)
            return admission.admits(message.sender, peer: message.frames.first, at: port) ? message : nothing
        } catch {
            guard error.code == .tooLarge else { throw error }
            coordination.drop(error)
            return nothing
        }
    }

    /// Whether a message could be handed over.
    private func send(_ message: Outgoing, on socket: borrowing Socket) throws -> Bool {
        do {
            try socket.send([message.peer] + message.frames)
            return true
        } catch {
            guard error.code == .unreachable || error.code == .wouldBlock else { throw error }
            return false
        }
    }
}
