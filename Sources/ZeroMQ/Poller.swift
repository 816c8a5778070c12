private import CZeroMQ

/// Something `Poller.wait` can watch: a socket or a wake-up. It does not keep its origin alive.
public struct PollSource {
    fileprivate let item: zmq_pollitem_t

    init(socket: UnsafeMutableRawPointer) {
        item = zmq_pollitem_t(socket: socket, fd: 0, events: Int16(ZMQ_POLLIN), revents: 0)
    }

    init(descriptor: Int32) {
        item = zmq_pollitem_t(socket: nil, fd: descriptor, events: Int16(ZMQ_POLLIN), revents: 0)
    }
}

/// Waits until one of several sockets can be read.
public enum Poller {
    /// Blocks the calling thread until a source can be read or the time is over.
    ///
    /// - Parameter timeout: nil waits without end.
    /// - Returns: for each source, whether it can be read.
    public static func wait(for sources: [PollSource], timeout: Duration?) throws(ZeroMQError) -> [Bool] {
        var items = sources.map(\.item)
        let result = zmq_poll(&items, Int32(items.count), timeout.map { Int($0.milliseconds) } ?? -1)
        if result < 0 {
            let number = zmq_errno()
            // A signal ends the wait early; callers look at the time anyway.
            guard number == EINTR else { throw ZeroMQError(number: number, operation: "wait for messages") }
            return sources.map { _ in false }
        }
        return items.map { $0.revents & Int16(ZMQ_POLLIN) != 0 }
    }
}
