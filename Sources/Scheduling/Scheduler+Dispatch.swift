internal import JobModel

extension Scheduler {
    /// Hands waiting jobs to workers that want some, one run of jobs at a time, until either side is exhausted.
    mutating func dispatch(_ actions: inout [SchedulerAction]) {
        var unserved = 0
        while unserved < line.count, let name = line.first {
            guard let worker = workers[name], worker.free > 0, !worker.isLost, !worker.isDraining else {
                _ = line.pop()
                workers[name]?.inLine = false
                continue
            }
            let (batch, taken) = takeRun(for: name, limit: worker.free)
            guard !taken.isEmpty else {
                // What waits now are suspects, and this worker is not alone with one: the next may be.
                guard round.first != nil else { return }
                unserved += 1
                _ = line.pop()
                line.push(name)
                continue
            }
            unserved = 0
            var assignments: [Assignment] = []
            for job in taken {
                guard let epoch = jobs[job]?.epoch.next else { continue }
                jobs[job]?.epoch = epoch
                lend(job, epoch, to: name, progress: 0)
                count(batch, .waiting, .running)
                let lease = Lease(job: job, epoch: epoch)
                actions.append(.store(.assigned(lease, to: name)))
                assignments.append(Assignment(lease: lease, batch: batches[Int(batch)].id))
            }
            actions.append(.assign(assignments, to: name))
            workers[name]?.free -= assignments.count
            _ = line.pop()
            line.push(name)
        }
    }

    /// Starts or moves the lease of a job; a worker nil means that its holder has yet to come back.
    mutating func lend(_ job: JobID, _ epoch: Epoch, to worker: WorkerName?, progress: UInt64) {
        let deadline = now + settings.lease
        let isNew = leases[job] == nil
        leases[job] = LeaseEntry(worker: worker, progress: progress, deadline: deadline)
        if let worker { workers[worker]?.leases.insert(job) }
        // A lease that is already there has its timer, which follows the new deadline.
        if isNew { timers.push(Timer(due: deadline, subject: .lease(Lease(job: job, epoch: epoch)))) }
    }

    /// Puts a batch with waiting jobs into the round.
    mutating func joinRound(_ batch: Int32) {
        let entry = batches[Int(batch)]
        guard entry.state == .running, entry.counts[.waiting] > 0, !entry.inRound else { return }
        batches[Int(batch)].inRound = true
        round.push(batch)
    }

    /// Puts a worker with free places into the line.
    mutating func joinLine(_ name: WorkerName) {
        guard let worker = workers[name], worker.free > 0, !worker.inLine else { return }
        workers[name]?.inLine = true
        line.push(name)
    }

    /// Lets others take the rests of the runs that a worker began.
    mutating func releaseRuns(of name: WorkerName) {
        for batch in round.elements { batches[Int(batch)].queue.release(name) }
    }

    /// The next jobs for a worker: from the batch whose turn it is.
    private mutating func takeRun(for name: WorkerName, limit: Int) -> (batch: Int32, jobs: [JobID]) {
        let holdsNothing = workers[name]?.leases.isEmpty ?? false
        for _ in 0..<round.count {
            guard let batch = round.pop() else { break }
            let index = Int(batch)
            guard batches[index].state == .running, batches[index].counts[.waiting] > 0 else {
                batches[index].inRound = false
                continue
            }
            round.push(batch)
            let taken = batches[index].queue.take(for: name, limit: limit) { [jobs, leases, settings] job in
                guard leases[job] == nil, let entry = jobs[job] else { return nil }
                return Int(entry.losses) < settings.suspectAfter ? entry.run : nil
            }
            if !taken.isEmpty { return (batch, taken) }
            guard holdsNothing else { continue }
            let suspect = batches[index].queue.takeSuspect { [jobs, leases] in jobs[$0] != nil && leases[$0] == nil }
            if let suspect { return (batch, [suspect]) }
        }
        return (0, [])
    }
}
