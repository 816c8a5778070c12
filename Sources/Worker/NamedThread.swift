internal import Foundation

/// A thread with a name that can be waited for; blocking libraries run on these, never on the concurrency pool.
final class NamedThread: Sendable {
    private let finished = DispatchSemaphore(value: 0)

    /// Starts the thread.
    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        let finished = finished
        let thread = Thread {
            body()
            finished.signal()
        }
        thread.name = name
        thread.stackSize = 8 << 20
        thread.start()
    }

    /// Blocks until the thread has ended.
    func join() {
        finished.wait()
        finished.signal()
    }
}
