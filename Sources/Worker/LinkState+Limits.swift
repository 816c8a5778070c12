/// When a worker ends by itself: before its lifetime is over, without work, or without a coordinator.
extension LinkState {
    enum Limit {
        case idle(Duration)
        case lifetime(Duration)
        case noCoordinator(Duration)
        case grace
    }

    /// The limits that hold at present, each with its moment.
    var limits: [(limit: Limit, at: Instant)] {
        if case .ended = phase { return [] }
        func limit(_ make: (Duration) -> Limit, _ start: Instant?, _ length: Duration?) -> (Limit, Instant)? {
            guard let start, let length else { return nil }
            return (make(length), start + length)
        }
        if stopping {
            guard let graceDeadline, held.all.contains(where: { $0.stage == .working }) else { return [] }
            return [(.grace, graceDeadline)]
        }
        return [
            limit(Limit.idle, idleSince, configuration.idleTimeout),
            limit(Limit.lifetime, startedAt, configuration.lifetime),
            limit(Limit.noCoordinator, heardAt, configuration.coordinatorTimeout),
        ].compactMap(\.self)
    }

    /// How long the worker still takes jobs; nil for any time.
    func timeLeft(now: Instant) -> Duration? {
        guard let startedAt, let lifetime = configuration.lifetime else { return nil }
        return max(.zero, startedAt + lifetime - now)
    }

    mutating func end(by limit: Limit, now: Instant) -> [Action] {
        switch limit {
        case .idle(let time): return [.note("no job came for \(time); this worker ends")] + drain(now: now)
        case .lifetime(let time):
            return [.note("this worker has run for \(time); it finishes its jobs and ends")] + drain(now: now)
        case .grace: return [.note("the time for running jobs is over; they are handed back")] + stop(now: now)
        case .noCoordinator(let time):
            phase = .ended
            return [
                .end(
                    WorkerError(
                        .unanswered,
                        "no coordinator answered at \(configuration.endpoint) for \(time); start it, or give the right address"
                    ))
            ]
        }
    }
}
