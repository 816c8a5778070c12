private import CZeroMQ

/// A ZeroMQ socket; it belongs to the thread that made it and closes when the value ends.
///
/// A socket cannot be copied and is not `Sendable`: libzmq sockets are not thread-safe. Other threads hand their messages
/// to the owner through a queue and a `Wakeup`. Every call returns at once; waiting is `Poller.wait`.
public struct Socket: ~Copyable {
    /// The patterns this project uses.
    public enum Kind: Sendable, Hashable {
        /// Talks to many peers; the first frame of each message is the peer's routing id.
        case router
        /// Talks to one router, without lock-step.
        case dealer
        /// Talks to exactly one other pair.
        case pair
        /// Answers one request after the other.
        case reply

        fileprivate var number: Int32 {
            switch self {
            case .router: ZMQ_ROUTER
            case .dealer: ZMQ_DEALER
            case .pair: ZMQ_PAIR
            case .reply: ZMQ_REP
            }
        }
    }

    private let context: Context
    private let pointer: UnsafeMutableRawPointer
    private let maximumFrames: Int
    private let maximumFrameBytes: Int
    private let knowsSenders: Bool

    /// A message and who sent it.
    public struct Message: Sendable {
        /// Its frames; on a router, the first is the routing id.
        public var frames: [[UInt8]]
        /// The name that the authenticator gave to the sender's key; nil without CURVE.
        public var sender: String?

        /// A message from a sender.
        public init(frames: [[UInt8]], sender: String?) {
            self.frames = frames
            self.sender = sender
        }
    }

    /// A socket with its options set, not yet bound or connected.
    public init(_ kind: Kind, in context: Context, options: SocketOptions) throws(ZeroMQError) {
        guard let pointer = zmq_socket(context.pointer, kind.number) else {
            throw ZeroMQError(last: "create a \(kind) socket")
        }
        do throws(ZeroMQError) {
            for (option, value) in options.settings(for: kind) {
                try withUnsafePointer(to: value) { bytes throws(ZeroMQError) in
                    try Self.set(option, of: pointer, to: bytes, count: MemoryLayout<Int32>.size)
                }
            }
            for (option, value) in options.security.settings + options.accessSettings {
                try Self.set(option, of: pointer, to: value, count: value.count)
            }
            try withUnsafePointer(to: Int64(options.maximumFrameBytes)) { bytes throws(ZeroMQError) in
                try Self.set(ZMQ_MAXMSGSIZE, of: pointer, to: bytes, count: MemoryLayout<Int64>.size)
            }
        } catch {
            zmq_close(pointer)
            throw error
        }
        self.context = context
        self.maximumFrames = options.maximumFrames
        self.maximumFrameBytes = options.maximumFrameBytes
        if case .server = options.security { knowsSenders = true } else { knowsSenders = false }
        self.pointer = pointer
    }

    deinit { zmq_close(pointer) }

    /// Closes the socket now rather than at the end of its scope.
    public consuming func close() {}

    /// Drops unsent messages, so that none arrives after the socket is closed.
    public borrowing func dropUnsent() throws(ZeroMQError) {
        try withUnsafePointer(to: Int32(0)) { bytes throws(ZeroMQError) in
            try Self.set(ZMQ_LINGER, of: pointer, to: bytes, count: MemoryLayout<Int32>.size)
        }
    }

    /// Lets the next endpoint be one of IPv6.
    private borrowing func switchIPv6On() throws(ZeroMQError) {
        try withUnsafePointer(to: Int32(1)) { bytes throws(ZeroMQError) in
            try Self.set(ZMQ_IPV6, of: pointer, to: bytes, count: MemoryLayout<Int32>.size)
        }
    }

    /// Starts to listen.
    ///
    /// - Returns: the endpoint in full, with the port the system chose for `tcp://127.0.0.1:*`.
    @discardableResult
    public borrowing func bind(_ endpoint: String) throws(ZeroMQError) -> String {
        if EndpointReach.needsIPv6(endpoint, connects: false) { try switchIPv6On() }
        guard zmq_bind(pointer, endpoint) == 0 else { throw ZeroMQError(last: "listen at \(endpoint)") }
        var text = [CChar](repeating: 0, count: 1_024)
        var size = text.count
        guard zmq_getsockopt(pointer, ZMQ_LAST_ENDPOINT, &text, &size) == 0 else {
            throw ZeroMQError(last: "ask where \(endpoint) is bound")
        }
        return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }

    /// Starts to connect; libzmq goes on trying in the background.
    public borrowing func connect(_ endpoint: String) throws(ZeroMQError) {
        if EndpointReach.needsIPv6(endpoint, connects: true) { try switchIPv6On() }
        guard zmq_connect(pointer, endpoint) == 0 else { throw ZeroMQError(last: "connect to \(endpoint)") }
    }

    /// Queues one message, all of its frames or none.
    ///
    /// Throws `wouldBlock` if it cannot be queued now and, on a router, `unreachable` where the peer is unknown.
    public borrowing func send(_ frames: [[UInt8]]) throws(ZeroMQError) {
        precondition(!frames.isEmpty, "a message has at least one frame")
        for (index, frame) in frames.enumerated() {
            let flags = ZMQ_DONTWAIT | (index + 1 < frames.count ? ZMQ_SNDMORE : 0)
            while zmq_send(pointer, frame, frame.count, flags) < 0 {
                let number = zmq_errno()
                guard number == EINTR else { throw ZeroMQError(number: number, operation: "send") }
            }
        }
    }

    /// Takes the next message, or nil if none has arrived.
    ///
    /// A message beyond the limits of the options is read to its end, thrown away and reported as `tooLarge`.
    public borrowing func receive() throws(ZeroMQError) -> [[UInt8]]? { try receiveMessage()?.frames }

    /// Takes the next message with its sender, as `receive` does.
    public borrowing func receiveMessage() throws(ZeroMQError) -> Message? {
        var frames: [[UInt8]] = []
        var count = 0
        var tooLarge = false
        var sender: String?
        while true {
            guard let (bytes, more) = try receiveFrame(first: count == 0, sender: &sender) else { return nil }
            count += 1
            tooLarge = tooLarge || count > maximumFrames || bytes.count > maximumFrameBytes
            if tooLarge { frames = [] } else { frames.append(bytes) }
            if !more { break }
        }
        guard !tooLarge else {
            throw ZeroMQError(
                code: .tooLarge, operation: "receive",
                message: "a message of \(count) frames is over the limit of \(maximumFrames) frames of "
                    + "\(maximumFrameBytes) bytes; the peer does not speak this protocol")
        }
        return Message(frames: frames, sender: sender)
    }

    /// Starts to report on connections; a `ConnectionMonitor` of any thread receives the reports.
    public borrowing func reportConnections() throws(ZeroMQError) -> ConnectionMonitor.Address {
        try ConnectionMonitor.start(for: pointer)
    }

    /// What `Poller.wait` needs to watch this socket; valid while the socket lives.
    public var pollSource: PollSource { PollSource(socket: pointer) }

    /// One frame and whether the message goes on; nil if the message has not arrived.
    private borrowing func receiveFrame(
        first: Bool, sender: inout String?
    ) throws(ZeroMQError) -> ([UInt8], Bool)? {
        var storage = zmq_msg_t()
        return try withUnsafeMutablePointer(to: &storage) { message throws(ZeroMQError) in
            zmq_msg_init(message)
            defer { zmq_msg_close(message) }
            while zmq_msg_recv(message, pointer, ZMQ_DONTWAIT) < 0 {
                let number = zmq_errno()
                if number == EINTR { continue }
                // Messages arrive whole, so only the first frame can be missing.
                if number == EAGAIN, first { return nil }
                throw ZeroMQError(number: number, operation: "receive")
            }
            // A router makes the first frame, the routing id, itself; the sender is known of those that travelled.
            if knowsSenders, sender == nil, let name = zmq_msg_gets(message, "User-Id") {
                sender = String(cString: name)
            }
            let bytes = UnsafeRawBufferPointer(start: zmq_msg_data(message), count: zmq_msg_size(message))
            return ([UInt8](bytes), zmq_msg_more(message) != 0)
        }
    }

    private static func set(
        _ option: Int32, of socket: UnsafeMutableRawPointer, to value: UnsafeRawPointer, count: Int
    ) throws(ZeroMQError) {
        guard zmq_setsockopt(socket, option, value, count) == 0 else {
            throw ZeroMQError(last: "set socket option \(option)")
        }
    }
}
