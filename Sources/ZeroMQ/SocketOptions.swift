private import CZeroMQ

/// Everything that is set on a socket before it is used.
///
/// The three presets are the ones this project needs; the values come from measurements on libzmq 4.3.4. Flow control is
/// not among them: high-water marks are traps for bugs, the protocol's credit limits what is under way.
public struct SocketOptions: Sendable, Hashable {
    /// How long unsent messages survive the closing of the socket.
    public var linger: Duration = .zero
    /// Largest frame that is accepted; the peer that sends a larger one is disconnected.
    public var maximumFrameBytes: Int = 16 << 20
    /// Most frames of one message that are accepted; libzmq itself has no limit.
    public var maximumFrames: Int = 8
    /// Messages that may wait in each direction for one peer.
    public var highWaterMark: Int = 1_000
    /// Whether messages are queued only for finished connections; without it a dead endpoint swallows them.
    public var queuesOnlyWhenConnected = false
    /// First pause before a lost connection is tried again; it doubles up to `longestReconnectPause`.
    public var reconnectPause: Duration = .milliseconds(200)
    /// Longest pause between two attempts to connect.
    public var longestReconnectPause: Duration = .seconds(15)
    /// Whether ZMTP heartbeats tell that the peer still answers: ping every 10 s, lost after 40 s.
    ///
    /// Not for a socket with many peers: libzmq 4.3.4 looks through the timers of all of them for each message that follows a
    /// ping, which took more than half of a coordinator's time with 5,000 workers. The kernel's own probes find connections
    /// whose other end is gone within the same time, without a message.
    public var pings = true
    /// Connections that may wait to be accepted.
    public var backlog: Int = 1_024

    /// How connections are protected.
    public var security = SocketSecurity.none
    /// The name under which the context's authenticator (ZAP, rfc.zeromq.org/spec/27) is asked about each connection.
    ///
    /// libzmq lets connections in where nobody answers at `inproc://zeromq.zap.01`, so the authenticator has to listen
    /// before the socket is bound.
    public var accessDomain: String?

    /// Options for sockets inside one process.
    public static let inProcess = {
        var options = SocketOptions()
        options.pings = false
        return options
    }()

    /// Options for the listening side: replies get a second to leave when the socket closes, and peers do the pinging.
    public static let listener = {
        var options = SocketOptions()
        options.pings = false
        options.linger = .seconds(1)
        options.highWaterMark = 4_096
        return options
    }()

    /// Options for the connecting side: nothing is queued for a peer that is not there; last words get a second.
    public static let connector = {
        var options = SocketOptions()
        options.linger = .seconds(1)
        options.queuesOnlyWhenConnected = true
        return options
    }()

    /// The authenticator's part of the libzmq options.
    var accessSettings: [(option: Int32, value: [UInt8])] {
        accessDomain.map { [(ZMQ_ZAP_DOMAIN, [UInt8]($0.utf8))] } ?? []
    }

    /// The libzmq option numbers and values for a socket of one kind.
    func settings(for kind: Socket.Kind) -> [(option: Int32, value: Int32)] {
        var list: [(Int32, Int32)] = [
            (ZMQ_LINGER, linger.milliseconds),
            (ZMQ_SNDHWM, Int32(clamping: highWaterMark)),
            (ZMQ_RCVHWM, Int32(clamping: highWaterMark)),
            (ZMQ_IMMEDIATE, queuesOnlyWhenConnected ? 1 : 0),
            (ZMQ_RECONNECT_IVL, reconnectPause.milliseconds),
            (ZMQ_RECONNECT_IVL_MAX, longestReconnectPause.milliseconds),
            (ZMQ_BACKLOG, Int32(clamping: backlog)),
            (ZMQ_HANDSHAKE_IVL, 10_000),
            (ZMQ_TCP_KEEPALIVE, 1), (ZMQ_TCP_KEEPALIVE_IDLE, 10), (ZMQ_TCP_KEEPALIVE_INTVL, 10),
            (ZMQ_TCP_KEEPALIVE_CNT, 3),
            (ZMQ_TCP_MAXRT, 40_000),
        ]
        // Without a TTL: that would be a timer of the peer, for each ping.
        if pings { list += [(ZMQ_HEARTBEAT_IVL, 10_000), (ZMQ_HEARTBEAT_TIMEOUT, 40_000)] }
        // Without it a ROUTER drops messages for unknown peers and reports success.
        if kind == .router { list.append((ZMQ_ROUTER_MANDATORY, 1)) }
        return list
    }
}

extension Duration {
    /// Whole milliseconds, rounded up, within what libzmq's options can hold.
    var milliseconds: Int32 {
        let (seconds, attoseconds) = components
        guard seconds < 2_000_000 else { return 2_000_000_000 }
        guard seconds >= 0, attoseconds >= 0 else { return 0 }
        return Int32(seconds * 1_000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
    }
}
