public import JobModel

extension Scheduler {
    /// A worker said hello: a new one, one that lost its connection, or a new process under an old name.
    public mutating func workerJoined(
        _ name: WorkerName, session: SessionID, capacity: Int, held: [HeldLease], at time: Moment
    ) -> [SchedulerAction] {
        now = max(now, time)
        var actions: [SchedulerAction] = []
        if let known = workers[name] {
            if known.formerSessions.contains(session) {
                return [.refuse(name, reason: "another process with the name '\(name)' took over; use another name")]
            }
            if known.session != session {
                for job in known.leases.sorted() {
                    requeue(job, loss: "worker \(name) started anew", &actions)
                }
                workers[name]?.formerSessions.insert(known.session)
                workers[name]?.session = session
                workers[name]?.finished = 0
            }
        }
        var worker = workers[name] ?? WorkerEntry(session: session, capacity: 0, lastHeard: now)
        worker.capacity = max(1, capacity)
        worker.free = 0
        worker.isLost = false
        worker.isDraining = false
        worker.lastHeard = now
        workers[name] = worker
        watch(name)
        // What it no longer has it lost on the way, or gave up.
        let stillHeld = Set(held.map(\.lease.job))
        for job in worker.leases.sorted() where !stillHeld.contains(job) {
            requeue(job, loss: nil, &actions)
        }
        adopt(held, by: name, &actions)
        dispatch(&actions)
        return actions
    }

    /// A worker said goodbye; what it still holds waits again.
    public mutating func workerLeft(_ name: WorkerName, at time: Moment) -> [SchedulerAction] {
        now = max(now, time)
        var actions: [SchedulerAction] = []
        guard let worker = workers[name] else { return [] }
        for job in worker.leases.sorted() { requeue(job, loss: nil, &actions) }
        releaseRuns(of: name)
        workers[name] = nil
        line.remove(name)
        dispatch(&actions)
        return actions
    }

    /// A worker tells how far its jobs have come.
    ///
    /// A lease renews when its own progress grows, or, while it has not begun, when another one of its worker's grows.
    public mutating func heartbeat(_ name: WorkerName, held: [HeldLease], at time: Moment) -> [SchedulerAction] {
        guard heard(name, at: time) else { return [] }
        let deadline = now + settings.lease
        var advanced = false
        var revoked: [Lease] = []
        for item in held {
            let job = item.lease.job
            guard var lease = leases[job], lease.worker == name, jobs[job]?.epoch == item.lease.epoch else {
                revoked.append(item.lease)
                continue
            }
            guard item.progress > lease.progress else { continue }
            lease.progress = item.progress
            lease.deadline = deadline
            leases[job] = lease
            advanced = true
        }
        if advanced {
            for item in held where item.progress == 0 && leases[item.lease.job]?.worker == name {
                leases[item.lease.job]?.deadline = deadline
            }
        }
        return revoked.isEmpty ? [] : [.revoke(revoked, from: name)]
    }

    /// A worker offers to take this many jobs now, whatever it offered before.
    public mutating func creditOffered(_ name: WorkerName, free: Int, at time: Moment) -> [SchedulerAction] {
        guard heard(name, at: time), let worker = workers[name] else { return [] }
        workers[name]?.free = min(max(0, free), worker.capacity)
        joinLine(name)
        var actions: [SchedulerAction] = []
        dispatch(&actions)
        return actions
    }

    /// A worker reports rows of a sealed shard. A row counts if its attempt is the current one and the job has not ended.
    public mutating func rowsReported(
        _ rows: [ReportedRow], shard: String, batch id: BatchID, by name: WorkerName, at time: Moment
    ) -> ReportOutcome {
        var outcome = ReportOutcome()
        _ = heard(name, at: time)
        for row in rows {
            let job = row.lease.job
            guard let entry = jobs[job] else {
                outcome.ended.append(job)
                continue
            }
            guard entry.epoch == row.lease.epoch, entry.epoch > .none, batchIndex[id] == entry.batch else {
                outcome.stale.append(job)
                continue
            }
            outcome.committed.append(job)
            let commit = RowCommit(
                lease: row.lease, shard: shard, row: row.row, error: row.error, summary: row.summary)
            outcome.actions.append(.store(.committed(commit)))
            workers[name]?.finished += 1
            end(
                job, entry, from: leases[job] == nil ? .waiting : .running, to: row.error == nil ? .succeeded : .failed,
                &outcome.actions)
        }
        dispatch(&outcome.actions)
        return outcome
    }

    /// Jobs come back unfinished, through no fault of theirs; the worker gets none until it offers again.
    public mutating func jobsReturned(_ returned: [Lease], by name: WorkerName, at time: Moment) -> [SchedulerAction] {
        guard heard(name, at: time) else { return [] }
        var actions: [SchedulerAction] = []
        workers[name]?.free = 0
        releaseRuns(of: name)
        for lease in returned where leases[lease.job]?.worker == name && jobs[lease.job]?.epoch == lease.epoch {
            requeue(lease.job, loss: nil, &actions)
        }
        dispatch(&actions)
        return actions
    }

    /// A worker gets no more jobs and finishes those it has.
    public mutating func drain(_ name: WorkerName) {
        workers[name]?.isDraining = true
        workers[name]?.free = 0
        releaseRuns(of: name)
    }

    /// Notes that a worker lives; false for one that has to say hello first.
    private mutating func heard(_ name: WorkerName, at time: Moment) -> Bool {
        now = max(now, time)
        guard let worker = workers[name], !worker.isLost else { return false }
        workers[name]?.lastHeard = now
        return true
    }

    /// Gives a returning worker the attempts that are still current; the others are revoked.
    private mutating func adopt(_ held: [HeldLease], by name: WorkerName, _ actions: inout [SchedulerAction]) {
        var revoked: [Lease] = []
        for item in held {
            let job = item.lease.job
            let lease = leases[job]
            guard let entry = jobs[job], entry.epoch == item.lease.epoch, entry.epoch > .none,
                lease == nil || lease?.worker == nil || lease?.worker == name
            else {
                revoked.append(item.lease)
                continue
            }
            if lease == nil { count(entry.batch, .waiting, .running) }
            if lease?.worker != name { actions.append(.store(.adopted(item.lease, by: name))) }
            lend(job, entry.epoch, to: name, progress: item.progress)
        }
        if !revoked.isEmpty { actions.append(.revoke(revoked, from: name)) }
    }
}
