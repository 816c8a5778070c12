internal import JobModel
internal import JobStore
internal import Logging
internal import Monitoring
internal import Scheduling
internal import WireProtocol

extension Coordination {
    /// Most bytes of items and settings in one message of assignments, apart from the last of each: far below what a
    /// message may have, whose limit one item and the settings of one batch never reach.
    private static let assignmentBytes = 4 << 20

    /// Carries out what the scheduler decided.
    ///
    /// - Parameter byTime: whether time alone caused it, rather than a message.
    mutating func perform(_ actions: [SchedulerAction], byTime: Bool = false) throws {
        guard !actions.isEmpty else { return }
        let transitions = actions.compactMap { if case .store(let transition) = $0 { transition } else { nil } }
        let refused = try store.apply(transitions, at: wallClock)
        if let first = refused.first {
            throw CoordinatorError(
                .inconsistent,
                "The job store does not agree with the scheduler about \(refused.count) changes, the first: \(first). "
                    + "None of them was acknowledged; start the coordinator again and report this.")
        }
        metrics.note(actions, byTime: byTime, at: wallClock)
        // Runs of jobs that go to one worker at once share a message, and one look into the store.
        var assigned: [(worker: WorkerName, list: [Scheduling.Assignment])] = []
        var places: [WorkerName: Int] = [:]
        for action in actions {
            switch action {
            case .store(let transition): note(transition)
            case .assign(let assignments, let worker):
                if let place = places[worker] {
                    assigned[place].list += assignments
                } else {
                    places[worker] = assigned.count
                    assigned.append((worker, assignments))
                }
            case .revoke(let leases, let worker): tell(worker, revoked: leases)
            case .workerLost(let worker, let reason):
                log(
                    .warning, "lost a worker", by: worker.rawValue,
                    [LogKey.worker: "\(worker)", LogKey.reason: "\(reason)"])
            case .workerForgotten(let worker):
                if let peer = peerOf.removeValue(forKey: worker) { peers[peer] = nil }
                originOf[worker] = nil
                noteForgottenWorker()
                log(.info, "forgot a worker", by: worker.rawValue, [LogKey.worker: "\(worker)"])
            case .refuse(let worker, let reason):
                log(
                    .warning, "refused a worker", by: worker.rawValue,
                    [LogKey.worker: "\(worker)", LogKey.reason: "\(reason)"])
            }
        }
        for (worker, list) in assigned { try send(list, to: worker) }
    }

    /// Logs what a peer caused, unless it caused too much of late.
    mutating func log(_ level: Logger.Level, _ message: Logger.Message, by peer: String, _ metadata: Logger.Metadata) {
        guard let hidden = logRate.allows(peer, at: now) else { return }
        logger.log(level: level, message, metadata: metadata.merging(hidden) { $1 })
    }

    /// Queues a message to a worker, if it is connected.
    mutating func tell(_ worker: WorkerName, _ fill: (inout WireToWorker) -> Void) {
        if let peer = peerOf[worker] { tell(peer: peer, fill) }
    }

    /// Queues a message to a connection of a worker.
    mutating func tell(peer: [UInt8], _ fill: (inout WireToWorker) -> Void) {
        var message = WireToWorker()
        fill(&message)
        queue(message, .workers, peer)
    }

    /// Queues the answer to a heartbeat, which also carries what is revoked at other times.
    mutating func tell(_ worker: WorkerName, revoked: [Lease]) {
        tell(worker) { $0.heartbeatAnswer.revoked = revoked.map { WireLease($0) } }
    }

    /// Queues a message; returns the reason if it is too large to be sent.
    @discardableResult
    mutating func queue(
        _ message: some Envelope, _ port: Outgoing.Port, _ peer: [UInt8], request: UInt64 = 0,
        assigned: (worker: WorkerName, leases: [Lease])? = nil
    ) -> WireError? {
        do {
            outgoing.append(
                Outgoing(
                    port: port, peer: peer, frames: try message.frames(), request: request, assigned: assigned))
            return nil
        } catch {
            logger.error("cannot send a message", metadata: [LogKey.reason: "\(error)"])
            return error
        }
    }

    private mutating func note(_ transition: JobTransition) {
        switch transition {
        case .batchFinished(let id):
            records[id]?.finishedAt = wallClock
            logger.info("batch ended", metadata: [LogKey.batch: "\(id)"])
        case .batchCancelled(let id, let reason, _):
            records[id]?.finishedAt = wallClock
            records[id]?.reason = reason
            logger.info("batch cancelled", metadata: [LogKey.batch: "\(id)", LogKey.reason: "\(reason)"])
        case .batchReopened(let id):
            records[id]?.finishedAt = nil
            records[id]?.reason = nil
            if records[id]?.closedAt == nil { records[id]?.closedAt = wallClock }
        case .batchPaused(let id, let isPaused):
            logger.info(isPaused ? "batch paused" : "batch resumed", metadata: [LogKey.batch: "\(id)"])
        case .quarantined(let lease, _, let end), .failed(let lease, let end):
            logger.error("gave up a job", metadata: [LogKey.jobs: "\(lease.job)", LogKey.reason: "\(end.reason)"])
        case .assigned, .seconded, .adopted, .requeued, .withdrawn, .committed: break
        }
    }

    /// Queues assignments in messages of bounded size, each with the settings of batches its connection does not know.
    private mutating func send(_ assignments: [Scheduling.Assignment], to worker: WorkerName) throws {
        guard let peer = peerOf[worker] else {
            return try perform(scheduler.jobsReturned(assignments.map(\.lease), by: worker, at: now))
        }
        var parcel = Parcel()
        let items = try store.items(of: assignments.map(\.lease.job))
        for (assignment, item) in zip(assignments, items) {
            guard let item, let record = records[assignment.batch] else {
                throw CoordinatorError(
                    .inconsistent, "Job \(assignment.lease.job) of batch \(assignment.batch) is not in the job store.")
            }
            if parcel.bytes > Self.assignmentBytes {
                try send(parcel, to: worker, peer)
                parcel = Parcel()
            }
            if peers[peer]?.knownBatches.contains(assignment.batch) != true {
                parcel.describe(assignment.batch, record.json)
            }
            var wire = WireAssignment()
            wire.lease = WireLease(assignment.lease)
            wire.batch = assignment.batch.rawValue
            wire.item = item
            wire.queuedSeconds = record.elapsed(at: wallClock)
            wire.retriable = record.description.queue.retriable(after: assignment.failures)
            metrics.counters.queueWait.observe(wire.queuedSeconds)
            parcel.add(wire)
        }
        try send(parcel, to: worker, peer)
    }

    /// Queues one message of assignments. Only what is in a message that leaves counts as sent: where it cannot leave, its
    /// jobs wait again, and this worker gets none of their batches for a while.
    private mutating func send(_ parcel: Parcel, to worker: WorkerName, _ peer: [UInt8]) throws {
        guard !parcel.leases.isEmpty else { return }
        if let error = queue(parcel.message, .workers, peer, assigned: (worker, parcel.leases)) {
            return try perform(
                scheduler.jobsReturned(parcel.leases, unfit: error.message.shortened(), by: worker, at: now))
        }
        peers[peer]?.knownBatches.formUnion(parcel.described)
    }
}

/// A message of assignments as it fills.
private struct Parcel {
    private(set) var message = WireToWorker()
    private(set) var leases: [Lease] = []
    /// Batches whose settings it carries.
    private(set) var described: Set<BatchID> = []
    private(set) var bytes = 0

    /// Adds the settings of a batch, unless they are in it.
    mutating func describe(_ batch: BatchID, _ json: String) {
        guard described.insert(batch).inserted else { return }
        var settings = WireBatchSettings()
        settings.batch = batch.rawValue
        settings.description_p = json
        message.assignments.settings.append(settings)
        bytes += json.utf8.count
    }

    /// Adds a job.
    mutating func add(_ assignment: WireAssignment) {
        leases.append(assignment.lease.lease)
        message.assignments.assignments.append(assignment)
        bytes += assignment.item.utf8.count
    }
}

extension QueueOptions {
    /// The classes of failures after which a job with so many of them would run again, a bit for each.
    fileprivate func retriable(after failures: Int) -> UInt32 {
        var mask: UInt32 = 0
        for errorClass in ErrorClass.allCases where retryRule(errorClass).limit > failures {
            mask |= 1 << UInt32(errorClass.rawValue)
        }
        return mask
    }
}
