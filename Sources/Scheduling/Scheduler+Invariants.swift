internal import JobModel

extension Scheduler {
    /// Derives every invariant anew from all tables, in O(n); returns what is broken, nothing in a sound state.
    public borrowing func sanityCheck() -> [String] {
        var broken: [String] = []
        for (job, lease) in leases {
            guard let entry = jobs[job] else {
                broken.append("lease of job \(job) that has ended")
                continue
            }
            if entry.epoch == .none { broken.append("job \(job) runs at epoch 0") }
            if let worker = lease.worker, workers[worker]?.leases.contains(job) != true {
                broken.append("job \(job) is leased to \(worker), which does not list it")
            }
        }
        for (name, worker) in workers {
            for job in worker.leases where leases[job]?.worker != name {
                broken.append("\(name) lists job \(job), which is not leased to it")
            }
            if worker.isLost, !worker.leases.isEmpty { broken.append("\(name) is lost and holds jobs") }
            if worker.free < 0 || worker.free > worker.capacity { broken.append("\(name) has \(worker.free) free") }
            if worker.free > 0, !worker.inLine { broken.append("\(name) wants jobs and is not in line") }
            if !worker.isLost, !worker.isWatched { broken.append("nobody watches \(name)") }
        }
        let inLine = line.elements
        if Set(inLine).count != inLine.count { broken.append("a worker is twice in line") }
        let watched = Set(timers.elements.map(\.subject))
        for (job, _) in leases {
            guard let epoch = jobs[job]?.epoch else { continue }
            if !watched.contains(.lease(Lease(job: job, epoch: epoch))) { broken.append("no timer for job \(job)") }
        }
        checkBatches(&broken)
        return broken
    }

    private borrowing func checkBatches(_ broken: inout [String]) {
        var waiting: [Int32: Set<JobID>] = [:]
        var running: [Int32: UInt64] = [:]
        for (job, entry) in jobs {
            if leases[job] == nil {
                waiting[entry.batch, default: []].insert(job)
            } else {
                running[entry.batch, default: 0] += 1
            }
            if Int(entry.losses) >= settings.lossLimit { broken.append("job \(job) should have been given up") }
        }
        for (index, batch) in batches.enumerated() {
            let mine = waiting[Int32(index)] ?? []
            if batch.counts[.waiting] != UInt64(mine.count) { broken.append("\(batch.id): waiting is miscounted") }
            if batch.counts[.running] != running[Int32(index)] ?? 0 {
                broken.append("\(batch.id): running is miscounted")
            }
            let isEmpty = batch.counts.unfinished == 0
            if batch.state.isFinal, !isEmpty { broken.append("\(batch.id) ended with jobs left") }
            if batch.state == .running, isEmpty { broken.append("\(batch.id) should have ended") }
            if batch.state == .running, !mine.isEmpty, !batch.inRound {
                broken.append("\(batch.id) is not in the round")
            }
            var reachable = Set(batch.queue.again.elements + batch.queue.suspects.elements)
            for rest in Array(batch.queue.kept.values) + batch.queue.released {
                reachable.formUnion(batch.queue.order[batch.queue.indices(of: rest)])
            }
            reachable.formUnion(batch.queue.order[batch.queue.untouched])
            if !mine.isSubset(of: reachable) { broken.append("\(batch.id): waiting jobs are in no queue") }
        }
        let waitingNow = jobs.filter { leases[$0.key] == nil && batches[Int($0.value.batch)].state == .running }.values
        let wanting = workers.values.filter { $0.free > 0 && !$0.isLost && !$0.isDraining }
        let suspects = waitingNow.count { isSuspect($0) }
        if suspects < waitingNow.count, !wanting.isEmpty { broken.append("a job waits while a worker wants one") }
        if suspects > 0, wanting.contains(where: \.leases.isEmpty) {
            broken.append("a suspect waits while a worker that holds nothing wants jobs")
        }
    }
}
