package import Scheduling

/// The time in which a coordinator could hear its workers; no lease expires and no worker is lost by any other.
///
/// While its process is stopped, its machine suspended or its disk slow, nobody can be heard. The service reads the clock
/// once a round, so a longer time between two readings is such a gap, and counts as one wait.
package struct ServingClock: Sendable {
    /// The longest time that a round waits for messages.
    package static let longestWait: Duration = .seconds(1)

    /// The moment of the last reading.
    package private(set) var now = Moment(.zero)
    private var lastReading: ContinuousClock.Instant

    /// A clock that starts now.
    package init(at instant: ContinuousClock.Instant) { lastReading = instant }

    /// Reads the clock.
    package mutating func read(at instant: ContinuousClock.Instant) {
        now = now + min(max(.zero, instant - lastReading), Self.longestWait)
        lastReading = instant
    }
}
