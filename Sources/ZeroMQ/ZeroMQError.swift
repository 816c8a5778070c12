private import CZeroMQ

/// A failed call into libzmq: which operation failed, why, and what to do about it.
public struct ZeroMQError: Error, CustomStringConvertible, Sendable {
    /// What kind of failure it is.
    public enum Code: Sendable, Hashable {
        /// The message cannot be queued now: no connection yet, or the peer's queue is full.
        case wouldBlock
        /// A ROUTER knows no peer with this routing id: the peer has gone, or never said anything.
        case unreachable
        /// Another socket is bound to this endpoint.
        case addressInUse
        /// The endpoint names an address this machine does not have.
        case addressUnavailable
        /// The text is not an endpoint, or the transport is unknown.
        case badEndpoint
        /// The process has no file descriptors left, or the context no sockets.
        case outOfResources
        /// A message has more frames or bytes than the receiver accepts; it was read and thrown away.
        case tooLarge
        /// This libzmq cannot encrypt.
        case noEncryption
        /// The context was shut down.
        case terminated
        /// Anything else; the number is libzmq's errno.
        case other(Int32)
    }

    /// What kind of failure it is.
    public let code: Code
    /// The call that failed, such as `bind tcp://127.0.0.1:5555`.
    public let operation: String
    /// What went wrong and what to do.
    public let message: String

    /// Whether the same call may succeed later without any change.
    public var isRetriable: Bool { code == .wouldBlock }

    /// The operation and the message in one line.
    public var description: String { "\(operation): \(message)" }

    init(code: Code, operation: String, message: String) {
        self.code = code
        self.operation = operation
        self.message = message
    }

    /// The error libzmq reported last on this thread.
    init(last operation: String) { self.init(number: zmq_errno(), operation: operation) }

    /// The error behind one of libzmq's numbers.
    init(number: Int32, operation: String) {
        let reason = String(cString: zmq_strerror(number))
        let (code, advice): (Code, String) =
            switch number {
            case EAGAIN: (.wouldBlock, "the message cannot be queued now; try again later")
            case EHOSTUNREACH: (.unreachable, "the peer is gone; wait until it says hello again")
            case EADDRINUSE: (.addressInUse, "another process listens there; stop it or choose another port")
            case EADDRNOTAVAIL, ENODEV: (.addressUnavailable, "this machine has no such address; check the host part")
            case EINVAL, EPROTONOSUPPORT, ENOCOMPATPROTO:
                (.badEndpoint, "expected an endpoint such as tcp://127.0.0.1:5599")
            case EMFILE, ENFILE: (.outOfResources, "raise the limit of open files (ulimit -n)")
            case ETERM: (.terminated, "the context was shut down")
            default: (.other(number), "unexpected; libzmq error \(number)")
            }
        self.init(code: code, operation: operation, message: "\(reason): \(advice)")
    }
}
