package import JobModel
package import WireProtocol

/// The worker's side of its conversation with the coordinator: events go in, actions come out.
///
/// It knows which jobs the worker holds and what the coordinator still has to answer. It has no socket, no clock and no
/// thread: time is a parameter, and `WorkerLink` performs what it asks for. A job is held from its assignment until the
/// coordinator has answered the report of its row, or until the lease is revoked or returned.
package struct LinkState: Sendable {
    package typealias Instant = ContinuousClock.Instant

    /// What the thread that owns the socket must do.
    package enum Action: Sendable {
        /// Close the socket, if there is one, and open a new one.
        case connect
        /// Send a message; tell `notSent` if it cannot be queued.
        case send(WireFromWorker)
        /// Give a job to the runner.
        case admit(LeasedJob)
        /// Take a job away from the runner, if it is still there, and tell `dropped` once that is done.
        case drop(Lease)
        /// The coordinator has answered for a shard; where none of its rows counts, its file is superseded.
        case answered(WireShardReport, counts: Bool)
        /// Write those rows of a reported shard again that are of these jobs: the others came too late.
        case rewrite(WireShardReport, keeping: Set<UInt64>)
        /// Write what is finished as soon as nothing runs.
        case hurry
        /// Tell the operator.
        case note(String)
        /// The worker is done; an error says why it ended early.
        case end(WorkerError?)
    }

    enum Phase {
        case pausing(until: Instant)
        case greeting(since: Instant, unsent: Bool)
        case welcomed
        case ended
    }

    struct Unanswered {
        var report: WireShardReport
        var sentAt: Instant?
    }

    /// Heartbeats without any word from the coordinator after which the connection is given up.
    private static let missesAllowed = 3

    let configuration: WorkerConfiguration
    let capacity: Int
    let jitter: @Sendable () -> Double

    var phase = Phase.ended
    var pause: Duration
    var heartbeat: Duration = .seconds(1)
    var nextHeartbeat: Instant?
    var misses = 0
    var beats: UInt64 = 0

    var descriptions: [BatchID: BatchDescription] = [:]
    /// Why the descriptions of other batches are not among them.
    var notUnderstood: [BatchID: String] = [:]
    var held = HeldJobs()
    /// Jobs that are not held any more and still occupy the runner, as one that hangs does for ever.
    var leaving: Set<Lease> = []
    var unanswered: [String: Unanswered] = [:]
    var returns: [WireReturned] = []
    var failures: [WireFailedAttempt] = []
    /// Why jobs of each batch went back last, as was noted; a batch of which a job has finished since is not in it.
    var notedReturns: [BatchID: String] = [:]
    /// What is left of the last offer.
    var creditSent: Int?

    var stopping = false
    var farewellDeadline: Instant?
    /// When the worker began, when it last heard the coordinator, since when it has had no job, and when running jobs go back.
    var startedAt: Instant?, heardAt: Instant?, idleSince: Instant?, graceDeadline: Instant?
    var failure: WorkerError?

    /// How often the runner moved on so far.
    package var runnerProgress: UInt64 = 0
    /// Jobs on which the runner has begun to work.
    package var begun: Set<Lease> = []
    /// Rounds of the thread that writes results so far.
    package var writerProgress: UInt64 = 0

    /// - Parameters:
    ///   - capacity: jobs the runner can run at the same time.
    ///   - spooled: reports that a former process of this name left unanswered.
    ///   - jitter: numbers in 0..<1, so that workers don't reconnect in step.
    package init(
        _ configuration: WorkerConfiguration, capacity: Int, spooled: [WireShardReport] = [],
        jitter: @escaping @Sendable () -> Double = { .random(in: 0..<1) }
    ) {
        self.configuration = configuration
        self.capacity = capacity
        self.jitter = jitter
        pause = configuration.reconnectPause
        for report in spooled {
            unanswered[report.shard] = Unanswered(report: report, sentAt: nil)
            for row in report.rows {
                held[JobID(row.lease.job)] = HeldJobs.Held(lease: row.lease.lease, stage: .reported)
            }
        }
    }

    // MARK: What callers may ask

    /// Jobs the worker holds.
    package var heldLeases: [Lease] { held.all.map(\.lease).sorted { $0.job < $1.job } }

    /// When `timePassed` has something to do next.
    package var deadline: Instant? {
        let next: Instant? =
            switch phase {
            case .pausing(let until): until
            case .greeting(let since, _): since + configuration.welcomePatience
            case .welcomed: nextHeartbeat
            case .ended: nil
            }
        return ([next, farewellDeadline].compactMap(\.self) + limits.map { $0.at }).min()
    }

    /// Whether the conversation is over.
    package var hasEnded: Bool {
        if case .ended = phase { true } else { false }
    }

    /// Whether the first message still waits for a connection, so that it is worth trying again soon.
    package var isHelloUnsent: Bool {
        if case .greeting(_, let unsent) = phase { unsent } else { false }
    }

    // MARK: Events

    /// The runner is ready; the conversation begins.
    package mutating func start(now: Instant) -> [Action] {
        (startedAt, heardAt) = (now, now)
        return connect(now: now)
    }

    /// A message could not be queued: no connection.
    package mutating func notSent(_ message: WireFromWorker) {
        switch message.kind {
        case .hello: if case .greeting(let since, _) = phase { phase = .greeting(since: since, unsent: true) }
        case .returned(let returned): returns.append(returned)
        case .failed(let failed): failures += failed.attempts
        case .report(let report): unanswered[report.shard]?.sentAt = nil
        case .credit: creditSent = nil
        default: break
        }
    }

    /// The first message could not be queued before; tries again.
    package mutating func retryHello(now: Instant) -> [Action] {
        guard case .greeting(let since, true) = phase else { return [] }
        phase = .greeting(since: since, unsent: false)
        return [hello(now: now)]
    }

    /// The coordinator said something.
    package mutating func received(_ message: WireToWorker, now: Instant) -> [Action] {
        if case .ended = phase { return [] }
        misses = 0
        heardAt = now
        switch message.kind {
        case .welcome(let welcome): return welcomed(welcome, now: now)
        case .refusal(let refusal):
            phase = .ended
            return [.end(WorkerError(.refused, "the coordinator refuses this worker: \(refusal.message)"))]
        case .helloAgain:
            phase = .greeting(since: now, unsent: false)
            return [hello(now: now)]
        case .heartbeatAnswer(let answer): return revoke(answer.revoked.map(\.lease)) + closing(now: now)
        case .assignments(let assignments): return take(assignments, now: now)
        case .reportAnswer(let answer): return answered(answer, now: now)
        case .drain: return [.note("the coordinator asks this worker to stop")] + drain(now: now)
        case nil: return []
        }
    }

    /// The clock moved on.
    package mutating func timePassed(now: Instant) -> [Action] {
        if let farewellDeadline, now >= farewellDeadline { return giveUp() }
        idleSince = held.all.isEmpty && isWelcomed ? idleSince ?? now : nil
        if let limit = limits.filter({ $0.at <= now }).min(by: { $0.at < $1.at })?.limit {
            return end(by: limit, now: now)
        }
        switch phase {
        case .pausing(let until): return now >= until ? connect(now: now) : []
        case .greeting(let since, _):
            guard now >= since + configuration.welcomePatience else { return [] }
            return pauseBeforeConnecting("no coordinator answers at \(configuration.endpoint)", now: now)
        case .welcomed:
            guard let due = nextHeartbeat, now >= due else { return [] }
            guard misses < Self.missesAllowed else {
                return pauseBeforeConnecting("the coordinator at \(configuration.endpoint) fell silent", now: now)
            }
            misses += 1
            nextHeartbeat = now + heartbeat
            return [sendHeartbeat()] + sendReturns() + sendFailures() + sendReports(now: now) + sendCredit(always: true)
        case .ended: return []
        }
    }

    /// A job left the runner; its row waits to be written.
    package mutating func finished(_ lease: Lease) -> [Action] {
        guard let job = held[lease.job], job.lease == lease, job.stage == .working else { return [] }
        held[lease.job]?.stage = .finished
        held[lease.job]?.base = runnerProgress &+ 1 &- writerProgress
        if let batch = job.batch { notedReturns[batch] = nil }
        return sendCredit()
    }

    /// A job failed and has no row: the coordinator wants another attempt, or none could be written.
    package mutating func failedWithoutRow(
        _ lease: Lease, _ errorClass: ErrorClass, _ reason: String, now: Instant
    ) -> [Action] {
        guard let job = held[lease.job], job.lease == lease, job.stage != .reported else { return [] }
        held[lease.job] = nil
        failures.append(WireFailedAttempt(lease, errorClass, reason))
        return sendFailures() + sendCredit() + closing(now: now)
    }

    /// The runner has given up jobs that cannot be run here; others may run them.
    package mutating func unfit(_ leases: [Lease], reason: String, now: Instant) -> [Action] {
        let mine = leases.filter { held[$0.job]?.lease == $0 }
        guard !mine.isEmpty else { return [] }
        var returned = WireReturned()
        returned.leases = mine.sorted { $0.job < $1.job }.map { WireLease($0) }
        returned.reason = reason.shortened()
        returned.unfit = true
        giveBack(returned)
        let note = noteReturn(of: Set(mine.compactMap { held[$0.job]?.batch }), reason)
        for lease in mine { held[lease.job] = nil }
        return note + sendReturns() + sendCredit() + closing(now: now)
    }

    /// Results of a batch cannot be written here for the time being: whatever of it is not written goes back, and others
    /// may do it. Other batches go on.
    package mutating func unwritable(
        _ batch: BatchID, unwritten: [Lease], reason: String, now: Instant
    ) -> [Action] {
        let lost = Set(unwritten)
        let leases = held.all.filter {
            $0.batch == batch && $0.stage == .working || $0.stage != .reported && lost.contains($0.lease)
        }.map(\.lease)
        guard !leases.isEmpty else { return [] }
        return noteReturn(of: [batch], reason) + handBack(leases, reason: reason, isUnfit: true) + sendCredit()
            + closing(now: now)
    }

    /// Tells the operator why jobs of some batches go back, unless that was said of each of them last: a model that does not
    /// load sends them back one by one.
    private mutating func noteReturn(of batches: Set<BatchID>, _ reason: String) -> [Action] {
        guard batches.contains(where: { notedReturns[$0] != reason }) else { return [] }
        for batch in batches { notedReturns[batch] = reason }
        return [.note("jobs go back: \(reason)")]
    }

    /// The runner has let go of a job that was taken away from it.
    package mutating func dropped(_ lease: Lease) -> [Action] {
        leaving.remove(lease) == nil ? [] : sendCredit()
    }

    /// Rows are in a sealed shard, on disk for good.
    package mutating func sealed(_ report: WireShardReport, now: Instant) -> [Action] {
        for row in report.rows where held[JobID(row.lease.job)]?.lease == row.lease.lease {
            let base = held[JobID(row.lease.job)]?.base ?? 0
            held[JobID(row.lease.job)]?.stage = .reported
            held[JobID(row.lease.job)]?.base = base &+ writerProgress &- beats
        }
        unanswered[report.shard] = Unanswered(report: report, sentAt: nil)
        return sendReports(now: now) + closing(now: now)
    }

    /// No job can be run here any more: hands back those that run and stops for good.
    package mutating func failed(_ error: WorkerError, now: Instant) -> [Action] {
        if failure == nil { failure = error }
        let leases = held.all.filter { $0.stage == .working }.map(\.lease)
        return [.note("\(error)")] + handBack(leases, reason: error.message) + drain(now: now)
    }

    /// Takes no more jobs; running ones are finished, written and reported, then the worker ends.
    package mutating func drain(now: Instant) -> [Action] {
        stopping = true
        if let grace = configuration.grace, graceDeadline == nil { graceDeadline = now + grace }
        var actions = sendCredit()
        actions.append(.hurry)
        return actions + closing(now: now)
    }

    /// Takes no more jobs; running ones are handed back, finished ones are written and reported, then the worker ends.
    package mutating func stop(now: Instant) -> [Action] {
        let running = held.all.filter { $0.stage == .working }.map(\.lease)
        return handBack(running, reason: "the worker was stopped") + drain(now: now)
    }

    // MARK: Connection

    mutating func connect(now: Instant) -> [Action] {
        phase = .greeting(since: now, unsent: false)
        misses = 0
        creditSent = nil
        return [.connect, hello(now: now)]
    }

    mutating func pauseBeforeConnecting(_ reason: String, now: Instant) -> [Action] {
        // Between half and all of the pause, so that workers that lost the same coordinator come back one by one.
        let wait = pause * (0.5 + 0.5 * jitter())
        pause = min(pause * 2, configuration.longestReconnectPause)
        phase = .pausing(until: now + wait)
        for shard in unanswered.keys { unanswered[shard]?.sentAt = nil }
        return [.note("\(reason); trying again")]
    }

    mutating func welcomed(_ welcome: WireWelcome, now: Instant) -> [Action] {
        do {
            try ProtocolVersion.check(welcome)
        } catch {
            phase = .ended
            return [.end(WorkerError(.refused, error.message))]
        }
        // The bounds keep a mistaken coordinator from being asked a thousand times a second, or never.
        heartbeat = min(max(welcome.heartbeat, .milliseconds(10)), .seconds(60))
        pause = configuration.reconnectPause
        phase = .welcomed
        nextHeartbeat = now + heartbeat
        for shard in unanswered.keys { unanswered[shard]?.sentAt = nil }
        return [.note("connected to \(welcome.software) at \(configuration.endpoint)")]
            + sendReturns() + sendFailures() + sendReports(now: now) + sendCredit(always: true) + closing(now: now)
    }

    mutating func giveUp() -> [Action] {
        phase = .ended
        let rows = unanswered.values.reduce(0) { $0 + $1.report.rows.count }
        return [
            .end(
                failure
                    ?? WorkerError(
                        .unanswered,
                        "the coordinator at \(configuration.endpoint) did not answer for \(rows) written rows; it will run "
                            + "these jobs again"))
        ]
    }

    /// Ends the conversation where nothing is left to say, and limits how long that may take.
    mutating func closing(now: Instant) -> [Action] {
        guard stopping, !held.all.contains(where: { $0.stage != .reported }) else { return [] }
        if unanswered.isEmpty, returns.isEmpty, failures.isEmpty {
            phase = .ended
            var message = WireFromWorker()
            message.goodbye = WireGoodbye()
            return [.send(message), .end(failure)]
        }
        if farewellDeadline == nil { farewellDeadline = now + configuration.farewellPatience }
        return []
    }
}
