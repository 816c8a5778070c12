internal import JobModel
internal import JobStore
internal import Logging
internal import Monitoring
internal import ResultFiles
internal import Scheduling
internal import WireProtocol

extension Coordination {
    /// Most workers that are known at a time, lost ones included.
    private static let mostWorkers = 16_384

    /// A message from a worker's connection.
    ///
    /// - Parameters:
    ///   - sender: the key that the connection proved; nil if it needs none.
    ///   - keyName: What that key is called.
    mutating func received(
        fromWorker frames: ArraySlice<[UInt8]>, peer: [UInt8], sender: String?, keyName: () -> String?
    ) throws {
        let message: WireFromWorker
        do {
            message = try WireFromWorker(frames: frames)
            try message.checkPlausibility()
        } catch {
            return drop(error)
        }
        guard storeHealth.isSound else {
            // Nothing can be recorded now, so only heartbeats are answered; workers ask again later.
            if case .heartbeat = message.kind { tell(peer: peer) { $0.heartbeatAnswer = WireHeartbeatAnswer() } }
            return
        }
        if case .hello(let hello) = message.kind { return try welcome(hello, peer, sender, keyName()) }
        guard let worker = peers[peer]?.name, scheduler.isPresent(worker) else {
            if case .goodbye = message.kind { return }
            return tell(peer: peer) { $0.helloAgain = WireHelloAgain() }
        }
        switch message.kind {
        case .heartbeat(let heartbeat):
            let actions = scheduler.heartbeat(worker, held: heartbeat.held.map(\.heldLease), at: now)
            if actions.isEmpty { tell(worker, revoked: []) }
            try perform(actions)
        case .credit(let credit):
            guard drainDeadline == nil else { return }
            try perform(scheduler.creditOffered(worker, free: Int(credit.freeSlots), at: now))
        case .report(let report):
            peers[peer]?.loggedReturns[BatchID(report.batch)] = nil
            try take(report, from: worker)
        case .returned(let returned):
            if isNews(returned, from: peer) {
                log(
                    .notice, "jobs came back", by: sender ?? worker.rawValue,
                    [
                        LogKey.worker: "\(worker)", LogKey.jobs: "\(returned.leases.count)",
                        LogKey.reason: "\(returned.reason.shortened())",
                    ])
            }
            let unfit = returned.unfit ? returned.reason.shortened() : nil
            // A worker that did not understand a batch's description gets it again.
            if unfit != nil { peers[peer]?.knownBatches = [] }
            try perform(scheduler.jobsReturned(returned.leases.map(\.lease), unfit: unfit, by: worker, at: now))
        case .failed(let failed):
            let attempts = failed.attempts.map {
                FailedAttempt(lease: $0.lease.lease, errorClass: $0.errorClass.errorClass, reason: $0.error.shortened())
            }
            try perform(scheduler.attemptsFailed(attempts, by: worker, at: now))
        case .goodbye: try leave(worker, peer, sender)
        case .hello, nil: break
        }
    }

    /// Whether a worker gives back jobs of a batch that it cannot run for another reason than the last time: one whose model does
    /// not load sends them back one by one.
    private mutating func isNews(_ returned: WireReturned, from peer: [UInt8]) -> Bool {
        guard returned.unfit, let lease = returned.leases.first?.lease,
            let batch = (try? store.place(of: lease.job))?.batch
        else { return true }
        let reason = returned.reason.shortened()
        guard peers[peer]?.loggedReturns[batch] != reason else { return false }
        peers[peer]?.loggedReturns[batch] = reason
        return true
    }

    /// Counts a worker that is refused.
    private mutating func noteRefusal(_ reason: String) {
        guard let count = refusedWorkers.countUp() else { return }
        logger.warning(
            "refused whoever came as a worker", metadata: [LogKey.count: "\(count)", LogKey.reason: "\(reason)"])
    }

    /// A worker is gone by its own wish.
    private mutating func leave(_ worker: WorkerName, _ peer: [UInt8], _ sender: String?) throws {
        log(.info, "worker left", by: sender ?? String(describing: peer), [LogKey.worker: "\(worker)"])
        try depart(worker, peer)
    }

    /// Forgets a connection and its worker, whose jobs wait for others; a worker with a newer connection stays.
    mutating func depart(_ worker: WorkerName, _ peer: [UInt8]) throws {
        peers[peer] = nil
        guard peerOf[worker] == peer else { return }
        peerOf[worker] = nil
        originOf[worker] = nil
        metrics.forget(worker)
        noteForgottenWorker()
        try perform(scheduler.workerLeft(worker, at: now))
    }

    /// Counts a message that is not understood; it changes nothing else.
    mutating func drop(_ error: any Error) {
        guard let count = malformed.countUp() else { return }
        logger.notice("dropped a message", metadata: [LogKey.count: "\(count)", LogKey.reason: "\(error)"])
    }

    private mutating func welcome(
        _ hello: WireHello, _ peer: [UInt8], _ sender: String?, _ keyName: String?
    ) throws {
        func refusal(_ hello: WireHello) -> WireRefusal? {
            if let refusal = ProtocolVersion.refusal(of: hello) { return refusal }
            if hello.worker.isEmpty, hello.capacity == 0 {
                return WireRefusal(
                    code: WireRefusal.otherPortCode,
                    message:
                        "Workers connect here, and clients to the coordinator's other address, \(Self.shown(endpoints.clients))."
                )
            }
            if hello.worker.isEmpty || hello.session.isEmpty {
                return WireRefusal(code: "no-name", message: "A worker needs a name and a session; give it a name.")
            }
            guard !scheduler.knows(WorkerName(hello.worker)), scheduler.workerCount >= Self.mostWorkers else {
                return nil
            }
            return WireRefusal(
                code: "too-many-workers",
                message: "The coordinator knows \(Self.mostWorkers) workers and takes no more. Start another one.")
        }
        if let refusal = refusal(hello) {
            noteRefusal(refusal.message)
            return tell(peer: peer) { $0.refusal = refusal }
        }
        let name = WorkerName(hello.worker)
        // A worker with another key is another worker, and must not take this name.
        if let owner = originOf[name]?.key, owner != sender, scheduler.knows(name) {
            let message = "The name '\(name)' belongs to a worker with another key; give this one another name."
            noteRefusal(message)
            return tell(peer: peer) { $0.refusal = WireRefusal(code: "name-taken", message: message) }
        }
        // A connection is one worker: if it continues under another name, the worker of the former name is gone.
        if let former = peers[peer]?.name, former != name { try leave(former, peer, sender) }
        let actions = scheduler.workerJoined(
            name, session: SessionID(hello.session), capacity: min(Int(hello.capacity), 4096),
            prefetch: min(Int(hello.prefetch), 4096), held: hello.held.map(\.heldLease),
            timeLeft: hello.secondsLeft > 0 ? .seconds(hello.secondsLeft) : nil, at: now)
        if case .refuse(_, let reason)? = actions.first {
            tell(peer: peer) { $0.refusal = WireRefusal(code: "superseded", message: reason) }
            return try perform(actions)
        }
        if let former = peerOf[name] { peers[former] = nil }
        peers[peer] = WorkerPeer(name: name)
        peerOf[name] = peer
        originOf[name] = WorkerOrigin(
            key: sender, keyName: keyName, host: hello.host.shortened(to: 255), threads: hello.threads,
            memoryBytes: hello.memoryBytes)
        metrics.counters.workersJoined += 1
        metrics.began(worker: name, at: now)
        log(
            .info, "worker joined", by: sender ?? String(describing: peer),
            [LogKey.worker: "\(name)", LogKey.session: "\(hello.session)", LogKey.jobs: "\(hello.held.count)"])
        let times = configuration.scheduling
        tell(name) { $0.welcome = WireWelcome(heartbeat: times.heartbeat, lease: times.lease) }
        try perform(actions)
        if drainDeadline != nil { drain(name) }
    }

    /// Tells a worker to finish its jobs and end.
    mutating func drain(_ worker: WorkerName) {
        scheduler.drain(worker)
        tell(worker) { $0.drain = WireDrain() }
    }

    /// Takes the rows that count and answers for each; a report that was answered before gets the same answer.
    private mutating func take(_ report: WireShardReport, from worker: WorkerName) throws {
        let batch = BatchID(report.batch)
        var answer = WireReportAnswer()
        answer.shard = report.shard
        // With another name the file would not be this worker's shard.
        guard records[batch] != nil, let shard = ShardName(path: report.shard), report.hasOneRowEach else {
            answer.stale = report.rows.map(\.lease.job)
            return tell(worker) { $0.reportAnswer = answer }
        }
        let rows = report.rows.map { row in
            ReportedRow(
                lease: row.lease.lease, row: row.row, error: row.failed ? row.error.shortened() : nil,
                summary: row.summary.jobSummary)
        }
        // A shard is reported once. What did not count then does not now, nor does what it is now said to hold as well.
        let isKnown = try store.holds(shard: report.shard, of: batch)
        switch isKnown ? .take : try judge(rows, of: shard, bytes: report.bytes, in: batch, by: worker) {
        case .take: break
        case .mixed(let late):
            answer.stale = late.map(\.rawValue)
            metrics.counters.staleRows += UInt64(late.count)
            return tell(worker) { $0.reportAnswer = answer }
        case .unconfirmed(let reason):
            logger.error(
                "results were not found", metadata: [LogKey.worker: "\(worker)", LogKey.reason: "\(reason)"])
            answer.stale = rows.map(\.lease.job.rawValue)
            tell(worker) { $0.reportAnswer = answer }
            return try perform(scheduler.jobsReturned(rows.map(\.lease), unfit: reason, by: worker, at: now))
        case .later(let reason): return noteHindrance(reason, of: batch)
        }
        let outcome =
            isKnown
            ? ReportOutcome(ended: rows.map(\.lease.job))
            : scheduler.rowsReported(rows, shard: report.shard, batch: batch, by: worker, at: now)
        if !outcome.committed.isEmpty {
            try store.add(
                ShardRecord(
                    batch: batch, path: shard.path, sha256: Array(report.sha256), bytes: report.bytes, worker: worker))
            metrics.counters.resultBytes &+= report.bytes
        }
        let failed = Set(rows.filter { $0.error != nil }.map(\.lease.job))
        let failures = outcome.committed.count { failed.contains($0) }
        // Noted before the actions run, the last of which may end the batch.
        metrics.noteCommitted(
            succeeded: outcome.committed.count - failures, failed: failures, of: batch, by: worker, at: now)
        try perform(outcome.actions)
        let places = Dictionary(rows.map { ($0.lease.job, $0.row) }, uniquingKeysWith: { first, _ in first })
        var committed = outcome.committed
        var stale = outcome.stale
        for job in outcome.ended {
            if try store.isResult(of: job, shard: report.shard, row: places[job] ?? 0, batch: batch) {
                committed.append(job)
            } else {
                stale.append(job)
            }
        }
        answer.committed = committed.map(\.rawValue)
        answer.stale = stale.map(\.rawValue)
        metrics.counters.staleRows += UInt64(stale.count)
        tell(worker) { $0.reportAnswer = answer }
    }
}

extension WireShardReport {
    /// Whether no row is the result of two jobs, and no job has two rows.
    fileprivate var hasOneRowEach: Bool {
        Set(rows.map(\.row)).count == rows.count && Set(rows.map(\.lease.job)).count == rows.count
    }
}
