private import CZeroMQ

/// The libzmq context of a process: its I/O threads and the space of `inproc` names.
///
/// Contexts are thread-safe. Sockets keep theirs alive, so it ends when the last socket is closed and nobody else
/// holds it. Never fork a process that has one: start children with `posix_spawn`.
public final class Context: @unchecked Sendable {
    // Unchecked: libzmq guarantees that a context may be used from any thread.
    let pointer: UnsafeMutableRawPointer

    /// A context with one I/O thread, which is enough for about a gigabyte a second.
    public init() throws(ZeroMQError) {
        guard let pointer = zmq_ctx_new() else { throw ZeroMQError(last: "create a context") }
        // Ending a context must not wait for peers that never come back.
        guard zmq_ctx_set(pointer, ZMQ_BLOCKY, 0) == 0 else {
            let error = ZeroMQError(last: "set up a context")
            zmq_ctx_term(pointer)
            throw error
        }
        self.pointer = pointer
    }

    deinit {
        while zmq_ctx_term(pointer) != 0, zmq_errno() == EINTR {}
    }
}
