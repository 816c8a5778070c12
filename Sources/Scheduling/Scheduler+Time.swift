internal import JobModel

extension Scheduler {
    /// Lets time pass: leases without progress expire, and workers that were silent for too long are lost.
    public mutating func timePassed(to time: Moment) -> [SchedulerAction] {
        now = max(now, time)
        var actions: [SchedulerAction] = []
        while let timer = timers.first, timer.due <= now {
            _ = timers.pop()
            switch timer.subject {
            case .lease(let lease): checkLease(lease, &actions)
            case .worker(let name): checkWorker(name, &actions)
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

    private mutating func checkLease(_ lease: Lease, _ actions: inout [SchedulerAction]) {
        guard let entry = leases[lease.job], jobs[lease.job]?.epoch == lease.epoch else { return }
        guard entry.deadline <= now else {
            timers.push(Timer(due: entry.deadline, subject: .lease(lease)))
            return
        }
        if let name = entry.worker {
            // It may hang: it has to offer again before it gets more.
            workers[name]?.free = 0
            releaseRuns(of: name)
            actions.append(.revoke([lease], from: name))
            requeue(lease.job, loss: "no progress on worker \(name)", &actions)
        } else {
            requeue(lease.job, loss: "its worker did not come back", &actions)
        }
    }

    private mutating func checkWorker(_ name: WorkerName, _ actions: inout [SchedulerAction]) {
        guard let worker = workers[name] else { return }
        workers[name]?.isWatched = false
        guard !worker.isLost else { return }
        guard worker.lastHeard + settings.silence <= now else { return watch(name) }
        workers[name]?.isLost = true
        workers[name]?.free = 0
        releaseRuns(of: name)
        actions.append(.workerLost(name, reason: "no heartbeat for \(settings.silence)"))
        for job in worker.leases.sorted() {
            requeue(job, loss: "worker \(name) was lost", &actions)
        }
    }
}
