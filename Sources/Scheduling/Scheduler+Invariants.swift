internal import JobModel

extension Scheduler {
    /// Derives every invariant anew from all tables, in O(n); returns what is broken, nothing in a sound state.
    public borrowing func sanityCheck() -> [String] {
        var broken: [String] = []
        checkLeases(&broken)
        checkWorkers(&broken)
        checkBatches(&broken)
        checkQueues(&broken)
        return broken
    }

    private borrowing func checkLeases(_ broken: inout [String]) {
        for (job, lease) in leases {
            guard let entry = jobs[job] else {
                broken.append("lease of job \(job) that has ended")
                continue
            }
            if entry.epoch == .none { broken.append("job \(job) runs at epoch 0") }
            if lease.epoch > entry.epoch { broken.append("job \(job) runs at an epoch that it has not reached") }
            if entry.isDelayed { broken.append("job \(job) runs and pauses") }
            if let worker = lease.worker, workers[worker]?.leases.contains(job) != true {
                broken.append("job \(job) is leased to \(worker), which does not list it")
            }
        }
        for (job, second) in seconds {
            guard let first = leases[job] else {
                broken.append("job \(job) has a second attempt and no first")
                continue
            }
            if first.epoch == second.epoch { broken.append("job \(job) has two attempts with one epoch") }
            if first.worker == second.worker, first.worker != nil {
                broken.append("job \(job) has two attempts on one worker")
            }
            if let worker = second.worker, workers[worker]?.leases.contains(job) != true {
                broken.append("job \(job) is leased to \(worker) as well, which does not list it")
            }
        }
        if !hasOrphanTimer, [leases, seconds].contains(where: { $0.values.contains { $0.worker == nil } }) {
            broken.append("nobody watches the leases whose holders are to come back")
        }
    }

    private borrowing func checkWorkers(_ broken: inout [String]) {
        for (name, worker) in workers {
            for job in worker.leases where leases[job]?.worker != name && seconds[job]?.worker != name {
                broken.append("\(name) lists job \(job), which is not leased to it")
            }
            if worker.isLost, !worker.leases.isEmpty { broken.append("\(name) is lost and holds jobs") }
            if worker.free < 0 || worker.free > worker.places { broken.append("\(name) has \(worker.free) free") }
            if worker.free > 0, !worker.inLine { broken.append("\(name) wants jobs and is not in line") }
            if !worker.isLost, !worker.isWatched { broken.append("nobody watches \(name)") }
            if !worker.leases.isEmpty, !worker.hasLeaseTimer { broken.append("nobody watches the leases of \(name)") }
        }
        let inLine = line.elements
        let listed = Set(inLine)
        if listed.count != inLine.count { broken.append("a worker is twice in line") }
        for name in inLine where passedOver[name] != nil { broken.append("\(name) is in line and passed over") }
        for (name, worker) in workers where worker.inLine != (passedOver[name] != nil || listed.contains(name)) {
            broken.append("\(name) is not where it is said to be")
        }
        for name in passedOver.keys where workers[name] == nil { broken.append("\(name) is passed over and gone") }
        let holders = expected.flatMap { name, jobs in jobs.map { ($0, name) } }
        if Dictionary(holders, uniquingKeysWith: { first, _ in first }) != expectedHolder {
            broken.append("who is expected back with which job is said in two ways")
        }
        let timed = Set(timers.elements.map(\.subject))
        for (name, worker) in workers {
            if worker.isWatched, !timed.contains(.worker(name)) { broken.append("no timer for \(name)") }
            if worker.hasLeaseTimer, !timed.contains(.leases(name)) { broken.append("no timer for leases of \(name)") }
        }
        for (job, entry) in jobs where entry.isDelayed {
            if !timed.contains(.retry(Lease(job: job, epoch: entry.epoch))) {
                broken.append("nothing ends the pause of job \(job)")
            }
        }
        if !isOnPatrol, batches.contains(where: \.needsPatrol) { broken.append("nobody patrols") }
    }

    private borrowing func checkBatches(_ broken: inout [String]) {
        var waiting: [Int32: Set<JobID>] = [:]
        var running: [Int32: UInt64] = [:]
        var delayed: [Int32: UInt64] = [:]
        for (job, entry) in jobs {
            if leases[job] == nil {
                waiting[entry.batch, default: []].insert(job)
                if entry.isDelayed { delayed[entry.batch, default: 0] += 1 }
                if Int(entry.losses) >= batches[Int(entry.batch)].options.crashLimit {
                    broken.append("job \(job) should have been given up")
                }
            } else {
                running[entry.batch, default: 0] += 1
            }
        }
        for (index, batch) in batches.enumerated() {
            let isEmpty = batch.counts.unfinished == 0
            if batch.state.isFinal, !isEmpty { broken.append("\(batch.id) ended with jobs left") }
            if batch.state == .running, isEmpty { broken.append("\(batch.id) should have ended") }
            let mine = waiting[Int32(index)] ?? []
            if batch.counts[.waiting] != UInt64(mine.count) { broken.append("\(batch.id): waiting is miscounted") }
            if batch.counts[.running] != running[Int32(index)] ?? 0 {
                broken.append("\(batch.id): running is miscounted")
            }
            if batch.delayed != delayed[Int32(index)] ?? 0 { broken.append("\(batch.id): delayed is miscounted") }
            if mine.isEmpty { continue }
            if batch.isRunnable, UInt64(mine.count) > batch.delayed, !batch.inRound {
                broken.append("\(batch.id) is not in the round")
            }
            var reachable = Set(batch.queue.again.elements + batch.queue.suspects.elements)
            for rest in Array(batch.queue.kept.values) + batch.queue.released {
                reachable.formUnion(batch.queue.order[batch.queue.indices(of: rest)])
            }
            reachable.formUnion(batch.queue.order[batch.queue.untouched])
            let inNoQueue = mine.filter { jobs[$0]?.isDelayed != true && !reachable.contains($0) }
            if !inNoQueue.isEmpty { broken.append("\(batch.id): waiting jobs are in no queue") }
        }
    }

    /// That nothing waits which could run.
    private borrowing func checkQueues(_ broken: inout [String]) {
        guard !isBehind else { return }
        let wanting = workers.filter { $0.value.free > 0 && !$0.value.isLost && !$0.value.isDraining }
        guard !wanting.isEmpty else { return }
        var waits = Set<Int32>(), suspectWaits = Set<Int32>()
        for (job, entry) in jobs where leases[job] == nil && !entry.isDelayed && batches[Int(entry.batch)].isRunnable {
            if isSuspect(entry) { suspectWaits.insert(entry.batch) } else { waits.insert(entry.batch) }
        }
        for (name, worker) in wanting {
            for batch in waits where unfitness(of: name, for: batch) == nil {
                broken.append("a job of \(batches[Int(batch)].id) waits while \(name) wants one")
            }
            for batch in suspectWaits where unfitness(of: name, for: batch) == nil && worker.leases.isEmpty {
                broken.append("a suspect of \(batches[Int(batch)].id) waits while \(name) holds nothing and wants jobs")
            }
        }
    }
}
