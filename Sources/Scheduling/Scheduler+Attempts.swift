public import JobModel

extension Scheduler {
    /// A worker tells how far its jobs have come.
    ///
    /// A lease renews when its own progress grows, or, while it has not begun, when another one of its worker's grows.
    public mutating func heartbeat(_ name: WorkerName, held: [HeldLease], at time: Moment) -> [SchedulerAction] {
        guard heard(name, at: time) else { return [] }
        let deadline = now + settings.lease
        var advanced = false
        var revoked: [Lease] = []
        for item in held {
            guard var attempt = attempt(item.lease), attempt.worker == name else {
                revoked.append(item.lease)
                continue
            }
            guard item.progress > attempt.progress else {
                if item.isComputed, !attempt.isComputed {
                    attempt.isComputed = true
                    update(item.lease.job, attempt)
                }
                continue
            }
            attempt.isComputed = item.isComputed
            attempt.progress = item.progress
            attempt.deadline = deadline
            attempt.begunAt = attempt.begunAt ?? now
            update(item.lease.job, attempt)
            advanced = true
        }
        if advanced {
            for item in held where item.progress == 0 {
                guard var attempt = attempt(item.lease), attempt.worker == name else { continue }
                attempt.deadline = deadline
                update(item.lease.job, attempt)
            }
        }
        return revoked.isEmpty ? [] : [.revoke(revoked, from: name)]
    }

    /// Whether an attempt that counts is or was this worker's, as far as that is known: nobody takes or ends another one's
    /// job.
    borrowing func isAttempt(_ lease: Lease, of name: WorkerName) -> Bool {
        guard let attempt = attempt(lease) else { return formerHolders[lease.job].map { $0 == name } ?? true }
        if let holder = attempt.worker { return holder == name }
        // The holder has not come back since the restart. Of two attempts at a job, the store names only the later one's worker.
        guard jobs[lease.job]?.epoch == lease.epoch, let holder = expectedHolder[lease.job] else { return true }
        return holder == name
    }

    /// What a row of an attempt would come to if it was reported now.
    public borrowing func verdict(on lease: Lease, of id: BatchID, by name: WorkerName) -> RowVerdict {
        guard let entry = jobs[lease.job] else { return .ended }
        // A job that waits again still takes the result of its last attempt.
        let isCurrent = entry.epoch == lease.epoch && entry.epoch > .none || attempt(lease) != nil
        return isCurrent && batchIndex[id] == entry.batch && isAttempt(lease, of: name) ? .counts : .late
    }

    /// A worker reports rows of a sealed shard. A row counts if its attempt does, was the worker's, and the job has not
    /// ended.
    public mutating func rowsReported(
        _ rows: [ReportedRow], shard: String, batch id: BatchID, by name: WorkerName, at time: Moment
    ) -> ReportOutcome {
        var outcome = ReportOutcome()
        _ = heard(name, at: time)
        var succeeded = false
        for row in rows {
            let job = row.lease.job
            guard let entry = jobs[job] else {
                outcome.ended.append(job)
                continue
            }
            guard verdict(on: row.lease, of: id, by: name) == .counts else {
                outcome.stale.append(job)
                continue
            }
            outcome.committed.append(job)
            let commit = RowCommit(
                lease: row.lease, shard: shard, row: row.row, error: row.error, summary: row.summary)
            outcome.actions.append(.store(.committed(commit)))
            if row.error == nil {
                succeeded = true
                batches[Int(entry.batch)].durations.add(seconds: row.summary.seconds)
            }
            let isRunning = leases[job] != nil
            for holder in endAttempts(of: job) where holder.lease != row.lease {
                outcome.actions.append(.revoke([holder.lease], from: holder.worker))
            }
            end(
                job, entry, from: isRunning ? .running : .waiting, to: row.error == nil ? .succeeded : .failed,
                &outcome.actions)
        }
        workers[name]?.finished += UInt64(outcome.committed.count)
        if let batch = batchIndex[id], !outcome.committed.isEmpty,
            workers[name]?.unfit.removeValue(forKey: batch) != nil
        {
            reconsider(name)
        }
        if succeeded {
            workers[name]?.failedInRow = []
            workers[name]?.rests = 0
        }
        dispatch(&outcome.actions)
        return outcome
    }

    /// Attempts failed in ways that may pass. Their jobs run again after a pause, as often as their batch allows; where
    /// everything fails on one worker it is the worker that is to blame, and it rests.
    public mutating func attemptsFailed(
        _ failed: [FailedAttempt], by name: WorkerName, at time: Moment
    ) -> [SchedulerAction] {
        guard heard(name, at: time) else { return [] }
        var actions: [SchedulerAction] = []
        for failure in failed {
            guard attempt(failure.lease)?.worker == name else { continue }
            if !isSuspect(name) { workers[name]?.failedInRow.insert(failure.lease.job) }
            let isSuspect = isSuspect(name)
            if isSuspect { rest(name) }
            // Only where another worker may do better is the job let off: somebody has to be to blame in the end.
            let isWorkersFault = isSuspect && workers.keys.contains { $0 != name && isSound($0) }
            giveBack(
                failure.lease, toll: isWorkersFault ? .none : .failure,
                because: AttemptEnd(worker: name, errorClass: failure.errorClass, reason: failure.reason), &actions)
        }
        dispatch(&actions)
        return actions
    }

    /// Whether different jobs failed on a worker one after the other.
    private borrowing func isSuspect(_ name: WorkerName) -> Bool {
        (workers[name]?.failedInRow.count ?? 0) >= settings.failuresBeforeRest
    }

    /// Whether a worker is there and nothing speaks against it.
    private borrowing func isSound(_ name: WorkerName) -> Bool {
        guard let worker = workers[name], !worker.isLost, !worker.isDraining else { return false }
        return !isSuspect(name)
    }

    /// Lets a worker rest, each time twice as long.
    private mutating func rest(_ name: WorkerName) {
        guard let worker = workers[name], worker.restsUntil.map({ $0 <= now }) ?? true else { return }
        workers[name]?.restsUntil = now + settings.rest * (1 << min(worker.rests, 6))
        workers[name]?.rests += 1
        workers[name]?.free = 0
        releaseRuns(of: name)
    }

    /// A worker cannot run a batch. It is tried again after a time, which doubles as long as nothing comes of it.
    private mutating func note(_ reason: String, of name: WorkerName, for batch: Int32) {
        var unfit = workers[name]?.unfit[batch] ?? WorkerEntry.Unfitness(reason: reason, until: now, wait: .zero)
        unfit.reason = reason
        // Later failures from the same try do not lengthen the wait.
        if unfit.until <= now {
            unfit.wait = unfit.wait == .zero ? settings.unfitness : min(unfit.wait * 2, settings.longestUnfitness)
            unfit.until = now + unfit.wait
            timers.push(Timer(due: unfit.until, subject: .unfit(name)))
        }
        workers[name]?.unfit[batch] = unfit
    }

    /// Jobs come back unfinished, through no fault of theirs; the worker gets none until it offers again.
    ///
    /// - Parameter unfit: why the worker cannot run the batches of these jobs for the time being; nil if it can.
    public mutating func jobsReturned(
        _ returned: [Lease], unfit: String? = nil, by name: WorkerName, at time: Moment
    ) -> [SchedulerAction] {
        guard heard(name, at: time) else { return [] }
        var actions: [SchedulerAction] = []
        workers[name]?.free = 0
        releaseRuns(of: name)
        for lease in returned where attempt(lease)?.worker == name {
            if let unfit, let batch = jobs[lease.job]?.batch { note(unfit, of: name, for: batch) }
            let end = unfit.map { AttemptEnd(worker: name, reason: $0) }
            giveBack(lease, toll: .none, because: end, &actions)
        }
        dispatch(&actions)
        return actions
    }
}
