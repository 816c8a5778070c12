internal import Failpoints
internal import JobModel
internal import Logging
internal import Synchronization
internal import WireProtocol
internal import ZeroMQ

/// Messages of other threads to the one that talks to the coordinator.
enum LinkEvent: Sendable {
    case ready(capacity: Int)
    case finished(Lease)
    case failedWithoutRow(Lease, ErrorClass, String)
    case unfit([Lease], String)
    case dropped(Lease)
    /// A shard is on disk for good; it may hold what is left of another one, which then is superseded.
    case sealed(WireShardReport, replacing: WireShardReport?)
    case unwritable(BatchID, unwritten: [Lease], reason: String)
    case failed(WorkerError)
    case note(String)
    case drain
    case stop
}

/// Where other threads leave their events for the link; posting wakes it.
final class LinkInbox: Sendable {
    private let events = Mutex<[LinkEvent]>([])
    let wakeup: Wakeup

    init() throws(ZeroMQError) { wakeup = try Wakeup() }

    func post(_ event: LinkEvent) {
        events.withLock { $0.append(event) }
        wakeup.signal()
    }

    func take() -> [LinkEvent] {
        wakeup.clear()
        return events.withLock { events in
            defer { events.removeAll() }
            return events
        }
    }
}

/// The loop of the thread that owns the worker's socket: poll, decode, `LinkState`, send.
struct WorkerLink: ~Copyable {
    /// A socket can sit in an optional only inside a class.
    private final class Connection {
        let socket: Socket
        let monitor: ConnectionMonitor
        var toldOfRefusal = false
        let since = ContinuousClock.now
        /// Finds out why nobody is there.
        var search: Reachability?

        init(to configuration: WorkerConfiguration, in context: Context) throws(ZeroMQError) {
            var options = SocketOptions.connector
            options.security = configuration.security
            let socket = try Socket(.dealer, in: context, options: options)
            let monitor = try ConnectionMonitor(socket.reportConnections(), in: context)
            try socket.connect(configuration.endpoint)
            self.socket = socket
            self.monitor = monitor
        }
    }

    /// Messages read between two looks at the clock, so that a flood cannot stop the heartbeats.
    private static let messagesPerRound = 64
    /// How often an unsent first message is tried again while the connection is being made.
    private static let helloRetry: Duration = .milliseconds(20)
    /// How long nobody may be there before it is found out why.
    private static let quiet: Duration = .seconds(2)

    private let configuration: WorkerConfiguration
    private let context: Context
    private let spool: ReportSpool?
    private let inbox: LinkInbox
    private let runner: Inbox<RunnerLetter>
    private let writer: Inbox<WriterLetter>
    private let runnerProgress: RunnerProgress
    private let writerProgress: ProgressCounter
    private let log: Logger

    private var state: LinkState?
    private var connection: Connection?
    private var outcome: WorkerError??

    init(
        _ configuration: WorkerConfiguration, inbox: LinkInbox, runner: RunnerLoop, writer: WriterLoop,
        spool: ReportSpool?,
        log: Logger
    ) throws(ZeroMQError) {
        self.configuration = configuration
        self.inbox = inbox
        self.spool = spool
        self.runner = runner.inbox
        self.writer = writer.inbox
        runnerProgress = runner.progress
        writerProgress = writer.progress
        self.log = log
        context = try Context()
    }

    /// Runs until the worker is done; an error says why it ended early.
    mutating func run() -> WorkerError? {
        do {
            while true {
                if let outcome { return outcome }
                try round()
            }
        } catch {
            return WorkerError(.transport, "the link to \(configuration.endpoint) failed: \(error)")
        }
    }

    private mutating func round() throws {
        let sources =
            [inbox.wakeup.pollSource] + (connection.map { [$0.socket.pollSource, $0.monitor.pollSource] } ?? [])
        _ = try Poller.wait(for: sources, timeout: patience)
        try noteRefusals()
        for event in inbox.take() { try perform(on(event)) }
        state?.runnerProgress = runnerProgress.count
        state?.begun = runnerProgress.begun
        state?.writerProgress = writerProgress.count
        for _ in 0..<Self.messagesPerRound {
            guard outcome == nil, let message = try receive() else { break }
            if case .reportAnswer = message.kind { Failpoint.reach("link.answered") }
            try perform(state?.received(message, now: .now) ?? [])
        }
        guard outcome == nil else { return }
        try perform(state?.timePassed(now: .now) ?? [])
        if let actions = state?.retryHello(now: .now) { try perform(actions) }
        findOutWhy()
    }

    /// Says once for each connection why nobody is there; trying goes on.
    private func findOutWhy() {
        guard let connection, connection.search == nil, state?.isHelloUnsent == true,
            .now > connection.since + Self.quiet
        else { return }
        connection.search = Reachability(of: configuration.endpoint) { [inbox] in
            inbox.post(.note("no coordinator can be reached: \($0); trying again"))
        }
    }

    /// How long nothing has to be done unless something arrives.
    private var patience: Duration? {
        guard let state else { return nil }
        let untilDeadline = state.deadline.map { max(.zero, $0 - .now) }
        let untilRetry = state.isHelloUnsent ? Self.helloRetry : nil
        return [untilDeadline, untilRetry].compactMap { $0 }.min()
    }

    /// Says once for each connection that the coordinator does not let this worker in; trying goes on.
    private func noteRefusals() throws {
        guard let connection else { return }
        while let event = try connection.monitor.next() {
            guard event == .handshakeFailed || event == .keyRefused, !connection.toldOfRefusal else { continue }
            connection.toldOfRefusal = true
            log.warning("\(configuration.endpoint) refuses the connection: \(event.advice)")
        }
    }

    private mutating func on(_ event: LinkEvent) -> [LinkState.Action] {
        let now = ContinuousClock.now
        switch event {
        case .ready(let capacity):
            let spooled = spool?.reports() ?? []
            if !spooled.isEmpty { log.notice("\(spooled.count) reports were left from the last time") }
            var state = LinkState(configuration, capacity: capacity, spooled: spooled)
            let actions = state.start(now: now)
            self.state = state
            return actions
        case .finished(let lease): return state?.finished(lease) ?? []
        case .dropped(let lease): return state?.dropped(lease) ?? []
        case .failedWithoutRow(let lease, let errorClass, let reason):
            return state?.failedWithoutRow(lease, errorClass, reason, now: now) ?? []
        case .unfit(let leases, let reason): return state?.unfit(leases, reason: reason, now: now) ?? []
        case .sealed(let report, let former):
            do {
                try spool?.save(report)
            } catch {
                log.warning("a report cannot be kept on disk, only in memory: \(error)")
            }
            if let former { settle(former, counts: false) }
            return state?.sealed(report, now: now) ?? []
        case .unwritable(let batch, let unwritten, let reason):
            return state?.unwritable(batch, unwritten: unwritten, reason: reason, now: now) ?? []
        case .failed(let error): return state?.failed(error, now: now) ?? [.note("\(error)"), .end(error)]
        case .note(let text): return [.note(text)]
        case .drain: return state?.drain(now: now) ?? [.end(nil)]
        case .stop: return state?.stop(now: now) ?? [.end(nil)]
        }
    }

    private mutating func perform(_ actions: [LinkState.Action]) throws {
        for action in actions {
            switch action {
            case .connect:
                // An old message that arrived after the new greeting would make the coordinator answer to the old address.
                try connection?.socket.dropUnsent()
                connection = nil
                connection = try Connection(to: configuration, in: context)
            case .send(let message): try send(message)
            case .admit(let job): runner.post(.admit(job))
            case .drop(let lease): runner.post(.drop(lease))
            case .answered(let report, let counts): settle(report, counts: counts)
            case .rewrite(let report, let jobs): writer.post(.rewrite(report, keeping: jobs))
            case .hurry: writer.post(.hurry)
            case .note(let text): log.info("\(text)", metadata: ["worker": "\(configuration.name)"])
            case .end(let error): outcome = .some(error)
            }
        }
    }

    /// The coordinator knows what to make of a shard.
    private func settle(_ report: WireShardReport, counts: Bool) {
        spool?.remove(shard: report.shard)
        guard !counts, !report.results.isEmpty else { return }
        do {
            try SupersededShard.setAside(report.shard, in: report.results)
        } catch {
            log.warning("shard \(report.shard), of which no row counts, stays where it is: \(error)")
        }
    }

    private mutating func send(_ message: WireFromWorker) throws {
        do {
            guard let connection else { return }
            try connection.socket.send(message.frames())
            if case .report = message.kind { Failpoint.reach("link.reported") }
        } catch let error as ZeroMQError where error.isRetriable {
            state?.notSent(message)
        }
    }

    /// The next message that makes sense; others are counted in the log and skipped.
    private mutating func receive() throws -> WireToWorker? {
        guard let connection else { return nil }
        while true {
            do {
                guard let frames = try connection.socket.receive() else { return nil }
                return try WireToWorker(frames: frames)
            } catch let error as WireError {
                log.warning("ignored a message: \(error)")
            } catch let error as ZeroMQError where error.code == .tooLarge {
                log.warning("ignored a message: \(error)")
            }
        }
    }
}
