public import JobModel

extension Scheduler {
    /// A batch exists from now on; after a restart with the state and the ended jobs it had.
    ///
    /// - Parameter options: nil takes the defaults, with the scheduler's own limit of losses.
    public mutating func batchOpened(
        _ id: BatchID, state: BatchState = .open, ended: JobCounts = JobCounts(), options: QueueOptions? = nil,
        isPaused: Bool = false
    ) {
        guard batchIndex[id] == nil else { return }
        batchIndex[id] = Int32(batches.count)
        let options = options ?? QueueOptions(crashLimit: settings.lossLimit)
        batches.append(BatchEntry(id: id, state: state, counts: ended, options: options, isPaused: isPaused))
        startPatrol()
    }

    /// A batch is queued in another way from now on.
    public mutating func optionsChanged(_ options: QueueOptions, of id: BatchID) {
        guard let batch = batchIndex[id] else { return }
        batches[Int(batch)].options = options
        reconsider(for: batch)
        startPatrol()
    }

    /// Unfinished jobs of a batch, in the order of submission; they run once the batch is closed. A batch that had ended
    /// runs again.
    ///
    /// - Parameter former: the state in which these jobs are counted so far, where they had ended and run again.
    public mutating func jobsAdded(
        _ new: [NewJob], to id: BatchID, formerly former: JobState? = nil, at time: Moment
    ) -> [SchedulerAction] {
        now = max(now, time)
        guard let batch = batchIndex[id] else { return [] }
        var actions: [SchedulerAction] = []
        var orphans = false
        for job in new where jobs[job.id] == nil {
            if batches[Int(batch)].state.isFinal {
                batches[Int(batch)].state = .running
                actions.append(.store(.batchReopened(id)))
                startPatrol()
            }
            let run = batches[Int(batch)].queue.append(job.id, image: job.image)
            let entry = JobEntry(
                batch: batch, run: run, losses: UInt16(clamping: job.losses), failures: UInt16(clamping: job.failures),
                epoch: job.epoch)
            jobs[job.id] = entry
            if job.wasRunning {
                let last = LeaseEntry(epoch: job.epoch, progress: 0, deadline: now + settings.lease)
                leases[job.id] = last
                if let rival = job.rival, rival < job.epoch {
                    leases[job.id] = LeaseEntry(epoch: rival, progress: 0, deadline: now + settings.lease)
                    seconds[job.id] = last
                }
                if let worker = job.worker {
                    expected[worker, default: []].insert(job.id)
                    expectedHolder[job.id] = worker
                }
                count(batch, former, .running)
                orphans = true
            } else {
                count(batch, former, .waiting)
                if isSuspect(entry) { batches[Int(batch)].queue.requeue(job.id, isSuspect: true) }
            }
        }
        if orphans { watchOrphans() }
        joinRound(batch)
        dispatch(&actions)
        return actions
    }

    /// A waiting job's item was replaced: reports of earlier attempts no longer count, and its pause ends.
    public mutating func epochRaised(to lease: Lease, at time: Moment) -> [SchedulerAction] {
        now = max(now, time)
        guard let entry = jobs[lease.job], entry.epoch < lease.epoch, leases[lease.job] == nil else { return [] }
        jobs[lease.job]?.epoch = lease.epoch
        guard entry.isDelayed else { return [] }
        jobs[lease.job]?.isDelayed = false
        batches[Int(entry.batch)].delayed -= 1
        batches[Int(entry.batch)].queue.requeue(lease.job, isSuspect: isSuspect(entry))
        joinRound(entry.batch)
        var actions: [SchedulerAction] = []
        dispatch(&actions)
        return actions
    }

    /// How long attempts of a batch took before the coordinator's start, in seconds.
    public mutating func durationsKnown(_ seconds: [Double], of id: BatchID) {
        guard let batch = batchIndex[id] else { return }
        for duration in seconds { batches[Int(batch)].durations.add(seconds: duration) }
    }

    /// The batch is complete: its jobs may run.
    public mutating func batchClosed(_ id: BatchID, at time: Moment) -> [SchedulerAction] {
        now = max(now, time)
        guard let batch = batchIndex[id], batches[Int(batch)].state == .open else { return [] }
        batches[Int(batch)].state = .running
        var actions: [SchedulerAction] = []
        finishIfDone(batch, &actions)
        startPatrol()
        joinRound(batch)
        dispatch(&actions)
        return actions
    }

    /// All unfinished jobs of a batch are known again after a restart: one that has none left is over.
    public mutating func batchResumed(_ id: BatchID, at time: Moment) -> [SchedulerAction] {
        now = max(now, time)
        var actions: [SchedulerAction] = []
        if let batch = batchIndex[id] { finishIfDone(batch, &actions) }
        return actions
    }

    /// Holds the jobs of a batch back, or lets them go again; those that run are finished.
    public mutating func batchPaused(_ id: BatchID, _ isPaused: Bool, at time: Moment) -> [SchedulerAction] {
        now = max(now, time)
        guard let batch = batchIndex[id], !batches[Int(batch)].state.isFinal,
            batches[Int(batch)].isPaused != isPaused
        else { return [] }
        batches[Int(batch)].isPaused = isPaused
        var actions: [SchedulerAction] = [.store(.batchPaused(id, isPaused))]
        joinRound(batch)
        dispatch(&actions)
        return actions
    }

    /// Ends every unfinished job of a batch; returns how many there were.
    public mutating func batchCancelled(
        _ id: BatchID, reason: String, at time: Moment
    ) -> (cancelled: UInt64, actions: [SchedulerAction]) {
        now = max(now, time)
        guard let batch = batchIndex[id], !batches[Int(batch)].state.isFinal else { return (0, []) }
        let cancelled = batches[Int(batch)].counts.unfinished
        var actions: [SchedulerAction] = []
        cancel(batch, reason: reason, &actions)
        dispatch(&actions)
        return (cancelled, actions)
    }

    /// A batch that has ended is not known any more, and its name is free; nothing happens to one that has not ended.
    public mutating func batchForgotten(_ id: BatchID) {
        guard let batch = batchIndex[id], batches[Int(batch)].state.isFinal else { return }
        batchIndex[id] = nil
        rounds.remove(batch)
        for name in workers.keys where workers[name]?.unfit[batch] != nil { workers[name]?.unfit[batch] = nil }
        // Its number stays taken: others count on theirs.
        batches[Int(batch)] = BatchEntry(
            id: id, state: .finished, counts: JobCounts(), options: QueueOptions(), isForgotten: true)
    }

    /// Ends every unfinished job of a batch.
    mutating func cancel(_ batch: Int32, reason: String, _ actions: inout [SchedulerAction]) {
        let index = Int(batch)
        let unfinished = batches[index].counts.unfinished
        actions.append(.store(.batchCancelled(batches[index].id, reason: reason, jobs: unfinished)))
        var revoked: [WorkerName: [Lease]] = [:]
        for job in batches[index].queue.order where jobs[job] != nil {
            for holder in endAttempts(of: job) { revoked[holder.worker, default: []].append(holder.lease) }
            jobs[job] = nil
            formerHolders[job] = nil
        }
        batches[index].state = .cancelled
        batches[index].counts[.cancelled] += unfinished
        batches[index].counts[.waiting] = 0
        batches[index].counts[.running] = 0
        batches[index].delayed = 0
        batches[index].queue = BatchQueue()
        for (worker, leases) in revoked { actions.append(.revoke(leases, from: worker)) }
    }
}
