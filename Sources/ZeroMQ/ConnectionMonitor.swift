private import CZeroMQ

/// Reports what becomes of a socket's connections; for counting and for advice, never for decisions about jobs.
///
/// It belongs to the thread that made it, which need not be the socket's.
public struct ConnectionMonitor: ~Copyable {
    /// What happened to a connection.
    public enum Event: Sendable, Hashable {
        /// The listening side took a connection; nothing is known about the peer yet.
        case accepted
        /// The connecting side reached somebody.
        case connected
        /// Both sides speak the same protocol and, with CURVE, have proved their keys.
        case handshakeSucceeded
        /// The other side speaks another protocol, or closed the connection in the hand-shake.
        case handshakeFailed
        /// The other side does not accept the key.
        case keyRefused
        /// A connection ended.
        case disconnected
        /// The limit of open files or the like keeps connections from being taken.
        case acceptFailed
        /// Anything else.
        case other

        /// What the connecting side should look at.
        public var advice: String {
            switch self {
            case .keyRefused:
                "this key is not among those it lets in; was it revoked, or is it one for another role?"
            case .handshakeFailed, .disconnected:
                "either only one side uses keys (give --key), or the key file is for another coordinator, or something else than a "
                    + "coordinator listens there, such as its status page"
            case .accepted, .connected, .handshakeSucceeded, .acceptFailed, .other: "nothing is known"
            }
        }
    }

    /// The name of a socket's reports within its context.
    public struct Address: Sendable, Hashable { fileprivate let endpoint: String }

    private let socket: Socket

    /// Receives the reports of a socket that was told to send them.
    public init(_ address: Address, in context: Context) throws(ZeroMQError) {
        let socket = try Socket(.pair, in: context, options: .inProcess)
        try socket.connect(address.endpoint)
        self.socket = socket
    }

    /// The next event, or nil if nothing has happened.
    public borrowing func next() throws(ZeroMQError) -> Event? {
        // First frame: 16 bits of event, 32 bits of detail, in the machine's byte order. Second frame: the endpoint.
        guard let report = try socket.receive()?.first, report.count >= 2 else { return nil }
        switch Int32(report[0]) | Int32(report[1]) << 8 {
        case ZMQ_EVENT_ACCEPTED: return .accepted
        case ZMQ_EVENT_CONNECTED: return .connected
        case ZMQ_EVENT_HANDSHAKE_SUCCEEDED: return .handshakeSucceeded
        case ZMQ_EVENT_HANDSHAKE_FAILED_AUTH: return .keyRefused
        case ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL, ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL: return .handshakeFailed
        case ZMQ_EVENT_DISCONNECTED: return .disconnected
        case ZMQ_EVENT_ACCEPT_FAILED: return .acceptFailed
        default: return .other
        }
    }

    /// What `Poller.wait` needs to watch for events; valid while the monitor lives.
    public var pollSource: PollSource { socket.pollSource }

    /// The address under which a socket reports.
    static func address(of pointer: UnsafeMutableRawPointer) -> Address {
        Address(endpoint: "inproc://connections-\(UInt(bitPattern: pointer))")
    }

    /// Starts the reports of a socket, on its own thread.
    static func start(for pointer: UnsafeMutableRawPointer) throws(ZeroMQError) -> Address {
        let address = address(of: pointer)
        let events =
            ZMQ_EVENT_ACCEPTED | ZMQ_EVENT_CONNECTED | ZMQ_EVENT_DISCONNECTED | ZMQ_EVENT_ACCEPT_FAILED
            | ZMQ_EVENT_HANDSHAKE_SUCCEEDED | ZMQ_EVENT_HANDSHAKE_FAILED_AUTH | ZMQ_EVENT_HANDSHAKE_FAILED_PROTOCOL
            | ZMQ_EVENT_HANDSHAKE_FAILED_NO_DETAIL
        guard zmq_socket_monitor(pointer, address.endpoint, events) == 0 else {
            throw ZeroMQError(last: "watch connections")
        }
        return address
    }
}
