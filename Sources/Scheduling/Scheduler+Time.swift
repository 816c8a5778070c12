internal import JobModel

extension Scheduler {
    /// Lets time pass: leases without progress expire, workers that were silent for too long are lost, pauses end.
    public mutating func timePassed(to time: Moment) -> [SchedulerAction] {
        now = max(now, time)
        var actions: [SchedulerAction] = []
        while let timer = timers.first, timer.due <= now {
            _ = timers.pop()
            switch timer.subject {
            case .leases(let name): checkLeases(of: name, &actions)
            case .orphans: checkOrphans(&actions)
            case .worker(let name): checkWorker(name, &actions)
            case .forget(let name): checkMemory(of: name, &actions)
            case .retry(let lease): endPause(of: lease)
            case .unfit(let name): reconsider(name)
            case .patrol: patrol(&actions)
            }
        }
        dispatch(&actions)
        return actions
    }

    /// Watches over a worker's silence.
    mutating func watch(_ name: WorkerName) {
        guard let worker = workers[name], !worker.isWatched else { return }
        workers[name]?.isWatched = true
        timers.push(Timer(due: worker.lastHeard + settings.silence, subject: .worker(name)))
    }

    /// Watches over leases whose holders have yet to come back.
    mutating func watchOrphans() {
        guard !hasOrphanTimer else { return }
        hasOrphanTimer = true
        timers.push(Timer(due: now + settings.lease, subject: .orphans))
    }

    private mutating func checkLeases(of name: WorkerName, _ actions: inout [SchedulerAction]) {
        guard let worker = workers[name] else { return }
        workers[name]?.hasLeaseTimer = false
        var next: Moment?
        var expired: [Lease] = []
        for lease in currentLeases(of: name) {
            guard let attempt = attempt(lease) else { continue }
            if attempt.deadline <= now {
                expired.append(lease)
            } else {
                next = min(next ?? attempt.deadline, attempt.deadline)
            }
        }
        if !expired.isEmpty {
            // The worker may hang: it has to offer again before it gets more jobs.
            workers[name]?.free = 0
            releaseRuns(of: name)
            if !worker.isLost { actions.append(.revoke(expired, from: name)) }
            let end = AttemptEnd(worker: name, reason: "no progress on worker \(name)")
            for lease in expired { giveBack(lease, toll: .loss, because: end, &actions) }
        }
        if let next {
            workers[name]?.hasLeaseTimer = true
            timers.push(Timer(due: next, subject: .leases(name)))
        }
    }

    private mutating func checkOrphans(_ actions: inout [SchedulerAction]) {
        hasOrphanTimer = false
        var left = false
        var lost: [Lease] = []
        for attempts in [seconds, leases] {
            for (job, attempt) in attempts where attempt.worker == nil {
                if attempt.deadline <= now { lost.append(Lease(job: job, epoch: attempt.epoch)) } else { left = true }
            }
        }
        let end = AttemptEnd(worker: nil, reason: "its worker did not come back")
        for lease in lost.sorted(by: { ($0.job, $1.epoch) < ($1.job, $0.epoch) }) {
            // One of two attempts may have been withdrawn long ago: only the last one left costs the job something.
            giveBack(lease, toll: seconds[lease.job] == nil ? .loss : .none, because: end, &actions)
            if jobs[lease.job] != nil {
                formerHolders[lease.job] = expectedHolder[lease.job]
            }
        }
        if left {
            watchOrphans()
        } else {
            expected = [:]
            expectedHolder = [:]
        }
    }

    private mutating func checkWorker(_ name: WorkerName, _ actions: inout [SchedulerAction]) {
        guard let worker = workers[name] else { return }
        workers[name]?.isWatched = false
        guard !worker.isLost else { return }
        guard worker.lastHeard + settings.silence <= now else { return watch(name) }
        if worker.hasNothingLeft(at: now) {
            forget(name)
            actions.append(.workerForgotten(name))
            return
        }
        let reason = "no heartbeat for \(settings.silence)"
        workers[name]?.isLost = true
        workers[name]?.lossReason = reason
        workers[name]?.free = 0
        releaseRuns(of: name)
        actions.append(.workerLost(name, reason: reason))
        let end = AttemptEnd(worker: name, reason: "worker \(name) was lost")
        for lease in currentLeases(of: name) { giveBack(lease, toll: .loss, because: end, &actions) }
        timers.push(Timer(due: now + settings.memory, subject: .forget(name)))
    }

    private mutating func checkMemory(of name: WorkerName, _ actions: inout [SchedulerAction]) {
        guard let worker = workers[name], worker.isLost, worker.lastHeard + settings.memory <= now else { return }
        forget(name)
        actions.append(.workerForgotten(name))
    }

    private mutating func endPause(of lease: Lease) {
        guard let entry = jobs[lease.job], entry.epoch == lease.epoch, entry.isDelayed else { return }
        jobs[lease.job]?.isDelayed = false
        batches[Int(entry.batch)].delayed -= 1
        batches[Int(entry.batch)].queue.requeue(lease.job, isSuspect: isSuspect(entry))
        joinRound(entry.batch)
    }
}

extension WorkerEntry {
    /// Whether a worker that falls silent has left in order, and only its goodbye got lost: it was to end, because somebody asked
    /// it to or its time was over, and it holds no job.
    fileprivate func hasNothingLeft(at now: Moment) -> Bool {
        leases.isEmpty && (isDraining || endsAt.map { $0 <= now } ?? false)
    }
}
