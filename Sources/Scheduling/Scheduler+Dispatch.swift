internal import JobModel

extension Scheduler {
    /// Jobs that one event hands out at most, apart from the last run: their messages are made, stored and sent at once.
    static let mostAtOnce = 4_096

    /// Hands waiting jobs to workers that want some, one run of jobs at a time, until either side is exhausted or the event
    /// has handed out enough; then time goes on with it.
    mutating func dispatch(_ actions: inout [SchedulerAction]) {
        var handedOut = 0
        isBehind = false
        while let name = line.first {
            guard handedOut < Self.mostAtOnce else {
                isBehind = true
                return
            }
            guard let free = workers[name].map({ $0.isLost || $0.isDraining ? 0 : $0.free }), free > 0 else {
                _ = line.pop()
                workers[name]?.inLine = false
                continue
            }
            let (batch, taken) = takeRun(for: name, limit: free)
            guard !taken.isEmpty else {
                // What waits now is not for this worker: suspects, or batches that it cannot run. The next may serve.
                guard !rounds.isEmpty else { return }
                _ = line.pop()
                lastPassedOver += 1
                passedOver[name] = lastPassedOver
                continue
            }
            var assignments: [Assignment] = []
            assignments.reserveCapacity(taken.count)
            for job in taken {
                // One that came back after a restart may be in line twice, at its old place and at its new one.
                guard leases[job] == nil, let lease = start(job, on: name) else { continue }
                count(batch, .waiting, .running)
                actions.append(.store(.assigned(lease, to: name)))
                assignments.append(
                    Assignment(lease: lease, batch: batches[Int(batch)].id, failures: Int(jobs[job]?.failures ?? 0)))
            }
            actions.append(.assign(assignments, to: name))
            handedOut += assignments.count
            workers[name]?.free -= assignments.count
            _ = line.pop()
            line.push(name)
        }
    }

    /// Gives a job to a worker as a new attempt.
    mutating func start(_ job: JobID, on name: WorkerName) -> Lease? {
        guard let epoch = jobs[job]?.epoch.next else { return nil }
        jobs[job]?.epoch = epoch
        formerHolders[job] = nil
        lend(job, LeaseEntry(epoch: epoch, worker: name, progress: 0, deadline: now))
        return Lease(job: job, epoch: epoch)
    }

    /// Starts or moves the lease of an attempt: beside another one of the same job where there is one.
    mutating func lend(_ job: JobID, _ attempt: LeaseEntry) {
        var attempt = attempt
        attempt.deadline = now + settings.lease
        if let first = leases[job], first.epoch != attempt.epoch {
            seconds[job] = attempt
        } else {
            leases[job] = attempt
        }
        guard let name = attempt.worker else { return }
        workers[name]?.leases.insert(job)
        if workers[name]?.hasLeaseTimer == false {
            workers[name]?.hasLeaseTimer = true
            timers.push(Timer(due: attempt.deadline, subject: .leases(name)))
        }
    }

    /// Puts a batch that may have jobs to hand out into the round.
    mutating func joinRound(_ batch: Int32) {
        let index = Int(batch)
        guard batches[index].isRunnable, batches[index].counts[.waiting] > batches[index].delayed else { return }
        reconsider(for: batch)
        guard !batches[index].inRound else { return }
        batches[index].inRound = true
        rounds.push(batch, priority: batches[index].options.priority)
    }

    /// Puts a worker with free places into the line, also if it was passed over. Workers repeat their offers with each
    /// heartbeat, so that none is passed over for long for a reason that has gone.
    mutating func joinLine(_ name: WorkerName) {
        guard let worker = workers[name], worker.free > 0 else { return }
        reconsider(name)
        guard !worker.inLine else { return }
        workers[name]?.inLine = true
        line.push(name)
    }

    /// Puts a worker that was passed over back into the line.
    mutating func reconsider(_ name: WorkerName) {
        if !passedOver.isEmpty, passedOver.removeValue(forKey: name) != nil { line.push(name) }
    }

    /// Puts those back into the line that were passed over and may run a batch.
    mutating func reconsider(for batch: Int32) {
        guard !passedOver.isEmpty else { return }
        var fit: [(name: WorkerName, number: Int)] = []
        for (name, number) in passedOver where unfitness(of: name, for: batch) == nil { fit.append((name, number)) }
        for (name, _) in fit.sorted(by: { $0.number < $1.number }) { reconsider(name) }
    }

    /// Lets others take the rests of the runs that a worker began.
    mutating func releaseRuns(of name: WorkerName) {
        for batch in workers[name]?.begun ?? [] { batches[Int(batch)].queue.release(name) }
        workers[name]?.begun = []
    }

    /// Why a worker gets no jobs of a batch at present.
    borrowing func unfitness(of name: WorkerName, for batch: Int32) -> String? {
        if let unfit = workers[name]?.unfit[batch], unfit.until > now { return unfit.reason }
        return shortness(of: name, for: batch)
    }

    /// Why a worker has too little time for a job of a batch; nil if it has enough, or nobody knows how long one takes.
    borrowing func shortness(of name: WorkerName, for batch: Int32) -> String? {
        guard let end = workers[name]?.endsAt, let median = batches[Int(batch)].durations.median,
            now + .seconds(median) > end
        else { return nil }
        return "its time ends before a job would, which takes \(Int(median.rounded(.up))) s"
    }

    /// The next jobs for a worker: from the batch whose turn it is among those of the highest priority.
    private mutating func takeRun(for name: WorkerName, limit: Int) -> (batch: Int32, jobs: [JobID]) {
        let holdsNothing = workers[name]?.leases.isEmpty ?? false
        for level in 0..<rounds.levelCount {
            for _ in 0..<rounds.count(at: level) {
                guard let batch = rounds.pop(at: level) else { break }
                let index = Int(batch)
                let priority = batches[index].options.priority
                guard batches[index].isRunnable, batches[index].counts[.waiting] > batches[index].delayed else {
                    batches[index].inRound = false
                    continue
                }
                rounds.push(batch, priority: priority)
                if unfitness(of: name, for: batch) != nil { continue }
                let suspectAfter = batches[index].suspectAfter
                let taken = batches[index].queue.take(for: name, limit: limit) { [jobs, leases] job in
                    guard let entry = jobs[job], !entry.isDelayed, leases[job] == nil else { return nil }
                    return Int(entry.losses) < suspectAfter ? entry.run : nil
                }
                if batches[index].queue.kept[name] != nil { workers[name]?.begun.insert(batch) }
                if !taken.isEmpty { return (batch, taken) }
                guard holdsNothing else { continue }
                let suspect = batches[index].queue.takeSuspect { [jobs, leases] in
                    jobs[$0].map { !$0.isDelayed } ?? false && leases[$0] == nil
                }
                if let suspect { return (batch, [suspect]) }
            }
        }
        return (0, [])
    }
}
