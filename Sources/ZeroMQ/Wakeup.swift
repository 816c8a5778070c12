private import CZeroMQ

/// Interrupts a thread that waits in `Poller.wait`; any thread may call it.
///
/// It is an event counter of the kernel: wake-ups before the wait are not lost, and many count as one.
public final class Wakeup: Sendable {
    private let descriptor: Int32

    /// A wake-up nobody has used yet.
    public init() throws(ZeroMQError) {
        let descriptor = winnow_eventfd_open()
        guard descriptor >= 0 else { throw ZeroMQError(last: "create a wake-up") }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Ends the current wait of the owner, or its next one.
    public func signal() {
        // It can fail only when the counter is full, and then the owner is being woken already.
        _ = winnow_eventfd_signal(descriptor)
    }

    /// Makes the next wait block again; the owner calls it after waking, before it looks at its queue.
    public func clear() { winnow_eventfd_clear(descriptor) }

    /// What `Poller.wait` needs to watch the wake-up; valid while it lives.
    public var pollSource: PollSource { PollSource(descriptor: descriptor) }
}
