private import Foundation
private import Synchronization

/// Holds a coordinator's snapshots for readers; a snapshot is made only on request.
///
/// Readers never touch the coordinator: they ask, and take what is there after a moment. However many ask, the
/// coordinator makes at most two snapshots a second.
public final class StatusBoard: Sendable {
    private struct Posted {
        var snapshot: ServiceSnapshot
        var at: ContinuousClock.Instant
    }

    /// A snapshot of this age is as good as new.
    private static let freshness = Duration.milliseconds(500)
    private static let look = Duration.milliseconds(5)

    private let posted = Mutex<Posted?>(nil)
    private let wanted = Atomic(false)
    private let wake: @Sendable () -> Void

    /// A board without a snapshot.
    ///
    /// - Parameter wake: makes the coordinator look at `isWanted` soon.
    public init(wake: @escaping @Sendable () -> Void) { self.wake = wake }

    /// Whether the coordinator should post a snapshot.
    public var isWanted: Bool { wanted.load(ordering: .relaxed) }

    /// Shows a snapshot to all later requests.
    public func post(_ snapshot: ServiceSnapshot) {
        posted.withLock { $0 = Posted(snapshot: snapshot, at: .now) }
        wanted.store(false, ordering: .relaxed)
    }

    /// The newest snapshot and its age in seconds; nil if the coordinator has not made one in time.
    ///
    /// - Parameter patience: how long to wait for a fresh one before an old one will do.
    func latest(patience: Duration) -> (snapshot: ServiceSnapshot, age: Double)? {
        let deadline = ContinuousClock.now + patience
        while true {
            let current = posted.withLock { $0 }
            let now = ContinuousClock.now
            if let current, now - current.at < Self.freshness || now >= deadline {
                return (current.snapshot, (now - current.at) / .seconds(1))
            }
            guard now < deadline else { return nil }
            if wanted.compareExchange(expected: false, desired: true, ordering: .relaxed).exchanged { wake() }
            Thread.sleep(forTimeInterval: Self.look / .seconds(1))
        }
    }
}
