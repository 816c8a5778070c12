internal import AccessKeys
internal import Foundation
internal import Logging
internal import Synchronization
internal import ZeroMQ

/// Decides who may connect, on a thread of its own, and counts connections.
///
/// libzmq asks it about every connection before a byte of a message is read. A secured port opens only for keys of its
/// role that are authorised; an open one only for peers of this machine. The list of keys is read again when its file
/// changes; the coordinator checks the sender of each message against the newest list as well (`Admission`).
final class Gatekeeper: Sendable {
    /// What a port has seen.
    struct Connections: Sendable {
        /// Connections accepted so far.
        var accepted = 0
        /// Accepted connections that have ended.
        var ended = 0
        /// Let in by nobody's key, or not speaking the protocol.
        var refused = 0
    }

    private struct State {
        var keys: AuthorisedKeysFile
        var connections: [AccessPort: Connections] = [:]
        var unwatched: [(AccessPort, ConnectionMonitor.Address)] = []
        var refusals = DoublingCount()
    }

    /// A monitor can sit in a list only inside a class.
    private final class Watch {
        let port: AccessPort
        let monitor: ConnectionMonitor

        init(_ port: AccessPort, _ address: ConnectionMonitor.Address, _ context: Context) throws(ZeroMQError) {
            self.port = port
            monitor = try ConnectionMonitor(address, in: context)
        }
    }

    /// How often the list is looked at while nobody connects.
    private static let listInterval = Duration.seconds(1)

    private let securedPorts: Set<AccessPort>
    private let serverSecret: CurveSecretKey?
    private let context: Context
    private let logger: Logger
    private let wakeup: Wakeup
    private let state: Mutex<State>
    private let generationCount = Atomic(0)
    private let isEnded = Atomic(false)
    private let hasEnded = DispatchSemaphore(value: 0)
    private let failure = Mutex<(any Error)?>(nil)

    /// Starts to answer libzmq's questions; sockets may be bound once this returns.
    ///
    /// - Parameter failed: called if it can answer no more. libzmq lets everybody in then, so nothing must go on.
    init(
        _ configuration: CoordinatorConfiguration, context: Context, logger: Logger,
        failed: @escaping @Sendable () -> Void
    )
        throws
    {
        let ports = AccessPort.allCases.filter { configuration.isSecured($0) }
        securedPorts = Set(ports)
        serverSecret = ports.isEmpty ? nil : try configuration.keys.serverPair().secretKey
        self.context = context
        self.logger = logger
        wakeup = try Wakeup()
        state = Mutex(State(keys: AuthorisedKeysFile(configuration.keys)))
        if !ports.isEmpty { refreshKeys() }
        let started = DispatchSemaphore(value: 0)
        // The thread holds the gatekeeper only through this call; `end` waits for it.
        let run = Thread { [self] in
            defer { hasEnded.signal() }
            do {
                try serve { started.signal() }
            } catch {
                failure.withLock { $0 = error }
                logger.critical("no connection can be accepted any more", metadata: [LogKey.reason: "\(error)"])
                failed()
            }
            started.signal()
        }
        run.name = "winnow-gate"
        run.start()
        started.wait()
        try check()
    }

    /// Throws if it can answer no more.
    func check() throws {
        if let error = failure.withLock({ $0 }) { throw error }
    }

    /// Stops answering; sockets must be closed, or be closed at once.
    func end() {
        isEnded.store(true, ordering: .releasing)
        wakeup.signal()
        hasEnded.wait()
    }

    /// The options of a port's socket.
    func options(for port: AccessPort) -> SocketOptions {
        var options = SocketOptions.listener
        options.accessDomain = port.rawValue
        if securedPorts.contains(port), let serverSecret { options.security = .server(secretKey: serverSecret) }
        return options
    }

    /// Counts the connections of a port's socket.
    func watch(_ port: AccessPort, _ address: ConnectionMonitor.Address) {
        state.withLock { $0.unwatched.append((port, address)) }
        wakeup.signal()
    }

    /// Whether messages at a port need an authorised sender.
    func isSecured(_ port: AccessPort) -> Bool { securedPorts.contains(port) }

    /// Grows with every change of the list.
    var generation: Int { generationCount.load(ordering: .acquiring) }

    /// The list as it is now.
    var keys: AuthorisedKeys { state.withLock { $0.keys.keys } }

    /// What a port has seen so far.
    func connections(of port: AccessPort) -> Connections { state.withLock { $0.connections[port] ?? Connections() } }

    private func serve(ready: () -> Void) throws {
        let questions = try Socket(.reply, in: context, options: .inProcess)
        try questions.bind(AccessRequest.endpoint)
        ready()
        var watches: [Watch] = []
        while !isEnded.load(ordering: .acquiring) {
            for (port, address) in state.withLock({ state in
                defer { state.unwatched = [] }
                return state.unwatched
            }) { watches.append(try Watch(port, address, context)) }
            let sources = [questions.pollSource, wakeup.pollSource] + watches.map { $0.monitor.pollSource }
            _ = try Poller.wait(for: sources, timeout: securedPorts.isEmpty ? nil : Self.listInterval)
            wakeup.clear()
            if !securedPorts.isEmpty { refreshKeys() }
            while let frames = try questions.receive() {
                guard let request = AccessRequest(frames: frames) else {
                    try questions.send(AccessRequest.refusal(of: frames))
                    continue
                }
                try questions.send(request.answer(letsInAs: name(for: request)))
            }
            for watch in watches { try count(watch) }
        }
    }

    /// The name under which a peer is let in; nil where it is not.
    private func name(for request: AccessRequest) -> String? {
        switch request.proof {
        case .none:
            guard !securedPorts.contains(request.port) else { break }
            if request.address.isEmpty || EndpointReach.isLoopbackHost(request.address) { return "local" }
        case .key(let key):
            if state.withLock({ $0.keys.keys.role(of: key.text) }) == request.port.role { return key.text }
        }
        if let count = state.withLock({ $0.refusals.countUp() }) {
            var metadata: Logger.Metadata = [
                LogKey.count: "\(count)", LogKey.endpoint: "\(request.port)", LogKey.address: "\(request.address)",
            ]
            if case .key(let key) = request.proof { metadata[LogKey.key] = "\(key)" }
            logger.warning("refused a connection", metadata: metadata)
        }
        return nil
    }

    private func refreshKeys() {
        let problem: (changed: Bool, text: String?) = state.withLock { state in
            guard state.keys.refresh() else { return (false, nil) }
            let bad = state.keys.keys.badLines.first.map { "line \($0) is not an entry for a key and is ignored" }
            return (true, state.keys.problem.map { "\($0); nobody is let in" } ?? bad)
        }
        guard problem.changed else { return }
        generationCount.add(1, ordering: .releasing)
        if let text = problem.text {
            logger.error("the list of keys has an error", metadata: [LogKey.reason: "\(text)"])
        }
    }

    private func count(_ watch: Watch) throws {
        var change = Connections()
        while let event = try watch.monitor.next() {
            switch event {
            case .accepted: change.accepted += 1
            case .disconnected: change.ended += 1
            case .handshakeFailed, .keyRefused: change.refused += 1
            case .connected, .handshakeSucceeded, .acceptFailed, .other: break
            }
        }
        state.withLock { state in
            state.connections[watch.port, default: Connections()].accepted += change.accepted
            state.connections[watch.port, default: Connections()].ended += change.ended
            state.connections[watch.port, default: Connections()].refused += change.refused
        }
    }
}
