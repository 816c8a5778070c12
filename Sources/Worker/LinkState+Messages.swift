internal import JobModel
internal import WireProtocol

/// The worker's messages, made from its state.
extension LinkState {
    var isWelcomed: Bool { if case .welcomed = phase { true } else { false } }
    var slots: Int { capacity + configuration.prefetch }

    /// Jobs that may come now: free slots, none while stopping or while too many rows are unanswered.
    var credit: Int {
        guard !stopping, held.ended < configuration.unansweredRows else { return 0 }
        return max(0, slots - held.working - leaving.count)
    }

    func hello(now: Instant) -> Action {
        var message = WireFromWorker()
        message.hello = .worker(
            configuration.name.rawValue, session: configuration.session.rawValue, capacity: capacity,
            prefetch: configuration.prefetch, held: leases(), host: Machine.host, timeLeft: timeLeft(now: now))
        message.hello.threads = UInt32(clamping: configuration.resources.threads)
        message.hello.memoryBytes = UInt64(clamping: configuration.resources.memoryBytes ?? 0)
        return .send(message)
    }

    mutating func sendHeartbeat() -> Action {
        beats &+= 1
        var heartbeat = WireHeartbeat()
        heartbeat.held = leases()
        var message = WireFromWorker()
        message.heartbeat = heartbeat
        return .send(message)
    }

    /// Held leases with their progress, which grows with the thread that has the job now: one that hangs is found.
    func leases() -> [WireLease] {
        held.all.sorted { $0.lease.job < $1.lease.job }.map { job in
            let progress =
                switch job.stage {
                case .working: begun.contains(job.lease) ? runnerProgress &+ 1 : 0
                case .finished: job.base &+ writerProgress
                case .reported: job.base &+ beats
                }
            return WireLease(job.lease, progress: progress, isComputed: job.stage != .working)
        }
    }

    /// Offers free slots once the former offer is used up: one that is raised while jobs are under way would count their
    /// slots twice. Heartbeats repeat it in any case, and an offer that ends is withdrawn at once.
    mutating func sendCredit(always: Bool = false) -> [Action] {
        let isUsedUp = creditSent == nil || creditSent == 0
        guard isWelcomed, always || (isUsedUp ? credit != creditSent : credit == 0) else { return [] }
        creditSent = credit
        var message = WireFromWorker()
        message.credit.freeSlots = UInt32(clamping: credit)
        return [.send(message)]
    }

    /// Puts jobs that go back among the messages. The coordinator takes that for the end of the former offer, so the next one
    /// is made at once.
    mutating func giveBack(_ returned: WireReturned) {
        returns.append(returned)
        creditSent = nil
    }

    mutating func sendReturns() -> [Action] {
        guard isWelcomed else { return [] }
        defer { returns = [] }
        return returns.map { returned in
            var message = WireFromWorker()
            message.returned = returned
            return .send(message)
        }
    }

    mutating func sendFailures() -> [Action] {
        guard isWelcomed, !failures.isEmpty else { return [] }
        defer { failures = [] }
        var message = WireFromWorker()
        message.failed.attempts = failures
        return [.send(message)]
    }

    /// Reports that were never sent, or not answered for three heartbeats.
    mutating func sendReports(now: Instant) -> [Action] {
        guard isWelcomed else { return [] }
        var actions: [Action] = []
        for (shard, entry) in unanswered.sorted(by: { $0.key < $1.key }) {
            if let sentAt = entry.sentAt, now < sentAt + heartbeat * 3 { continue }
            unanswered[shard]?.sentAt = now
            var message = WireFromWorker()
            message.report = entry.report
            actions.append(.send(message))
        }
        return actions
    }
}
