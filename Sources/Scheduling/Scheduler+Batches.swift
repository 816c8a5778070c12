public import JobModel

extension Scheduler {
    /// A batch exists from now on; after a restart with the state and the ended jobs it had.
    public mutating func batchOpened(_ id: BatchID, state: BatchState = .open, ended: JobCounts = JobCounts()) {
        guard batchIndex[id] == nil else { return }
        batchIndex[id] = Int32(batches.count)
        batches.append(BatchEntry(id: id, state: state, counts: ended))
    }

    /// Unfinished jobs of a batch, in the order of submission; they run once the batch is closed.
    public mutating func jobsAdded(_ new: [NewJob], to id: BatchID, at time: Moment) -> [SchedulerAction] {
        now = max(now, time)
        guard let batch = batchIndex[id], !batches[Int(batch)].state.isFinal else { return [] }
        for job in new where jobs[job.id] == nil {
            let run = batches[Int(batch)].queue.append(job.id, image: job.image)
            let entry = JobEntry(batch: batch, run: run, losses: UInt16(clamping: job.losses), epoch: job.epoch)
            jobs[job.id] = entry
            if job.wasRunning {
                lend(job.id, job.epoch, to: nil, progress: 0)
                count(batch, nil, .running)
            } else {
                count(batch, nil, .waiting)
                if isSuspect(entry) { batches[Int(batch)].queue.requeue(job.id, isSuspect: true) }
            }
        }
        joinRound(batch)
        var actions: [SchedulerAction] = []
        dispatch(&actions)
        return actions
    }

    /// No more jobs come: the batch may run.
    public mutating func batchClosed(_ id: BatchID, at time: Moment) -> [SchedulerAction] {
        now = max(now, time)
        guard let batch = batchIndex[id], batches[Int(batch)].state == .open else { return [] }
        batches[Int(batch)].state = .running
        var actions: [SchedulerAction] = []
        finishIfDone(batch, &actions)
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
        var actions: [SchedulerAction] = [.store(.batchCancelled(id, reason: reason))]
        var revoked: [WorkerName: [Lease]] = [:]
        for job in batches[Int(batch)].queue.order {
            guard let entry = jobs[job] else { continue }
            if let worker = leases[job]?.worker {
                revoked[worker, default: []].append(Lease(job: job, epoch: entry.epoch))
            }
            endLease(of: job)
            jobs[job] = nil
        }
        batches[Int(batch)].state = .cancelled
        batches[Int(batch)].counts[.cancelled] += cancelled
        batches[Int(batch)].counts[.waiting] = 0
        batches[Int(batch)].counts[.running] = 0
        batches[Int(batch)].queue = BatchQueue()
        for (worker, leases) in revoked { actions.append(.revoke(leases, from: worker)) }
        dispatch(&actions)
        return (cancelled, actions)
    }
}
