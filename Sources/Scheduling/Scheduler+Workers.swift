public import JobModel

extension Scheduler {
    /// A worker said hello: a new one, one that lost its connection, or a new process under an old name, which may still
    /// hold what the former one had written and not yet reported.
    ///
    /// - Parameters:
    ///   - capacity: Jobs it works on at the same time.
    ///   - prefetch: Jobs it takes beside those, so that none of its places waits for the next.
    ///   - timeLeft: How long it takes jobs; it gets none that take longer by the median of their batch. nil for any time.
    public mutating func workerJoined(
        _ name: WorkerName, session: SessionID, capacity: Int, prefetch: Int = 0, held: [HeldLease],
        timeLeft: Duration? = nil, at time: Moment
    ) -> [SchedulerAction] {
        now = max(now, time)
        var actions: [SchedulerAction] = []
        var isNew = true
        if let known = workers[name] {
            if known.formerSessions.contains(session) {
                return [.refuse(name, reason: "another process with the name '\(name)' took over; use another name")]
            }
            isNew = known.session != session
            if isNew {
                workers[name]?.formerSessions = Array((known.formerSessions + [known.session]).suffix(64))
                workers[name]?.session = session
                workers[name]?.finished = 0
                workers[name]?.failedInRow = []
                workers[name]?.rests = 0
                workers[name]?.restsUntil = nil
            }
        }
        var worker = workers[name] ?? WorkerEntry(session: session, capacity: 0, lastHeard: now)
        worker.capacity = max(1, capacity)
        worker.prefetch = max(0, prefetch)
        worker.endsAt = timeLeft.map { now + $0 }
        worker.free = 0
        worker.isLost = false
        worker.isDraining = false
        worker.lastHeard = now
        worker.unfit = [:]
        workers[name] = worker
        watch(name)
        // Jobs that the worker no longer holds were lost on the way or given up; a new process lost the old one's jobs.
        let stillHeld = Set(held.map(\.lease))
        let end = isNew ? AttemptEnd(worker: name, reason: "worker \(name) started anew") : nil
        for lease in currentLeases(of: name) where !stillHeld.contains(lease) {
            giveBack(lease, toll: isNew ? .loss : .none, because: end, &actions)
        }
        // Nor is it to blame for what it was sent and never got, or handed back, while the coordinator was away.
        for job in (expected.removeValue(forKey: name) ?? []).sorted() {
            expectedHolder[job] = nil
            guard let epoch = jobs[job]?.epoch, let attempt = attempt(Lease(job: job, epoch: epoch)),
                attempt.worker == nil, !stillHeld.contains(Lease(job: job, epoch: epoch))
            else { continue }
            giveBack(Lease(job: job, epoch: epoch), toll: .none, because: nil, &actions)
            if jobs[job] != nil { formerHolders[job] = name }
        }
        adopt(held, by: name, &actions)
        dispatch(&actions)
        return actions
    }

    /// A worker said goodbye; what it still holds waits again.
    public mutating func workerLeft(_ name: WorkerName, at time: Moment) -> [SchedulerAction] {
        now = max(now, time)
        var actions: [SchedulerAction] = []
        guard workers[name] != nil else { return [] }
        for lease in currentLeases(of: name) { giveBack(lease, toll: .none, because: nil, &actions) }
        forget(name)
        dispatch(&actions)
        return actions
    }

    /// A worker offers to take this many jobs now, whatever it offered before.
    public mutating func creditOffered(_ name: WorkerName, free: Int, at time: Moment) -> [SchedulerAction] {
        guard heard(name, at: time), let worker = workers[name] else { return [] }
        if let rest = worker.restsUntil, rest > now { return [] }
        workers[name]?.restsUntil = nil
        workers[name]?.free = min(max(0, free), worker.places)
        joinLine(name)
        var actions: [SchedulerAction] = []
        dispatch(&actions)
        return actions
    }

    /// A worker gets no more jobs and finishes those it has.
    public mutating func drain(_ name: WorkerName) {
        workers[name]?.isDraining = true
        workers[name]?.free = 0
        releaseRuns(of: name)
    }

    /// Lets workers try again what they could not run, and those that rest take jobs with their next offer.
    ///
    /// - Returns: those for which that changes something, and what follows from it.
    public mutating func workersWoken(
        _ names: [WorkerName], at time: Moment
    ) -> (woken: [WorkerName], actions: [SchedulerAction]) {
        now = max(now, time)
        var actions: [SchedulerAction] = []
        let woken = names.filter { name in
            guard let worker = workers[name], !worker.isLost else { return false }
            return worker.restsUntil.map { $0 > now } ?? false || worker.unfit.values.contains { $0.until > now }
        }
        for name in woken {
            workers[name]?.unfit = [:]
            workers[name]?.failedInRow = []
            workers[name]?.rests = 0
            workers[name]?.restsUntil = nil
            joinLine(name)
        }
        dispatch(&actions)
        return (woken, actions)
    }

    /// Notes that a worker lives; false for one that has to say hello first.
    mutating func heard(_ name: WorkerName, at time: Moment) -> Bool {
        now = max(now, time)
        guard let worker = workers[name], !worker.isLost else { return false }
        workers[name]?.lastHeard = now
        return true
    }

    /// The attempts that a worker holds, by job.
    borrowing func currentLeases(of name: WorkerName) -> [Lease] {
        guard let held = workers[name]?.leases else { return [] }
        return held.sorted().compactMap { job in
            if let entry = leases[job], entry.worker == name { return Lease(job: job, epoch: entry.epoch) }
            if let entry = seconds[job], entry.worker == name { return Lease(job: job, epoch: entry.epoch) }
            return nil
        }
    }

    /// Removes every trace of a worker that holds nothing.
    mutating func forget(_ name: WorkerName) {
        releaseRuns(of: name)
        if passedOver.removeValue(forKey: name) == nil, workers[name]?.inLine == true { line.remove(name) }
        workers[name] = nil
    }

    /// Gives a returning worker the attempts that are still current; the others are revoked.
    private mutating func adopt(_ held: [HeldLease], by name: WorkerName, _ actions: inout [SchedulerAction]) {
        var revoked: [Lease] = []
        for item in held {
            let job = item.lease.job
            guard isAttempt(item.lease, of: name) else {
                revoked.append(item.lease)
                continue
            }
            if let known = attempt(item.lease) {
                guard known.worker == nil || known.worker == name else {
                    revoked.append(item.lease)
                    continue
                }
                if known.worker == nil { actions.append(.store(.adopted(item.lease, by: name))) }
            } else {
                // Lost by silence, and nobody else has taken the job since.
                guard let entry = jobs[job], entry.epoch == item.lease.epoch, entry.epoch > .none, leases[job] == nil
                else {
                    revoked.append(item.lease)
                    continue
                }
                count(entry.batch, .waiting, .running)
                if entry.isDelayed {
                    jobs[job]?.isDelayed = false
                    batches[Int(entry.batch)].delayed -= 1
                }
                actions.append(.store(.adopted(item.lease, by: name)))
            }
            var entry = attempt(item.lease) ?? LeaseEntry(epoch: item.lease.epoch, progress: 0, deadline: now)
            entry.worker = name
            entry.progress = item.progress
            entry.begunAt = entry.begunAt ?? (item.progress > 0 ? now : nil)
            entry.isComputed = item.isComputed
            lend(job, entry)
        }
        if !revoked.isEmpty { actions.append(.revoke(revoked, from: name)) }
    }
}
