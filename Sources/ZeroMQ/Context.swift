private import CZeroMQ

/// The libzmq context of a process: its I/O threads and the space of `inproc` names.
///
/// Contexts are thread-safe. Sockets keep theirs alive, so it ends when the last socket is closed and nobody else
/// holds it. Never fork a process that has one: start children with `posix_spawn`.
public final class Context: @unchecked Sendable {
    // Unchecked: libzmq guarantees that a context may be used from any thread.
    let pointer: UnsafeMutableRawPointer

    /// File descriptors that a context with a few sockets takes.
    private static let descriptors = 24

    /// A context with one I/O thread, which is enough for about a gigabyte a second.
    public init() throws(ZeroMQError) {
        // libzmq ends the process where it gets none.
        guard Self.areLeft(Self.descriptors) else {
            throw ZeroMQError(
                code: .outOfResources, operation: "create a context",
                message:
                    "this process may open fewer than \(Self.descriptors) further files; raise the limit (ulimit -n)")
        }
        guard let pointer = zmq_ctx_new() else { throw ZeroMQError(last: "create a context") }
        // Ending a context must not wait for peers that never come back.
        guard zmq_ctx_set(pointer, ZMQ_BLOCKY, 0) == 0 else {
            let error = ZeroMQError(last: "set up a context")
            zmq_ctx_term(pointer)
            throw error
        }
        // Otherwise each small message that waits to be read holds a buffer of 18 kB. A library that does not know the option
        // only takes more memory.
        _ = winnow_copy_received(pointer)
        self.pointer = pointer
    }

    /// Whether so many files can be opened.
    private static func areLeft(_ count: Int) -> Bool {
        let files = (0..<count).map { _ in winnow_eventfd_open() }
        for file in files where file >= 0 { close(file) }
        return files.allSatisfy { $0 >= 0 }
    }

    deinit {
        while zmq_ctx_term(pointer) != 0, zmq_errno() == EINTR {}
    }
}
