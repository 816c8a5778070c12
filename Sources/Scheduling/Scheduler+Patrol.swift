internal import JobModel

extension Scheduler {
    /// How much longer than the median an attempt takes before it counts as a straggler.
    static let stragglerFactor = 1.5

    /// Looks at running attempts from time to time while a batch asks for that.
    mutating func startPatrol() {
        guard !isOnPatrol, batches.contains(where: \.needsPatrol) else { return }
        isOnPatrol = true
        timers.push(Timer(due: now + settings.patrol, subject: .patrol))
    }

    /// Ends attempts that run longer than their batch allows, and starts second ones beside the last slow ones.
    mutating func patrol(_ actions: inout [SchedulerAction]) {
        isOnPatrol = false
        defer { startPatrol() }
        var medians: [Int32: Double] = [:]
        for index in batches.indices where batches[index].needsPatrol {
            medians[Int32(index)] = batches[index].durations.median ?? 0
        }
        var overdue: [(lease: Lease, worker: WorkerName, limit: Double)] = []
        var slow: [(lease: Lease, worker: WorkerName, elapsed: Duration)] = []
        for (job, attempt) in leases {
            guard let elapsed = attempt.workTime(at: now), let worker = attempt.worker, let batch = jobs[job]?.batch,
                let median = medians[batch]
            else { continue }
            let lease = Lease(job: job, epoch: attempt.epoch)
            let entry = batches[Int(batch)]
            if let limit = entry.options.timeout?.seconds(median: median), elapsed > .seconds(limit) {
                overdue.append((lease, worker, limit))
            } else if entry.options.secondRuns, entry.isAtItsEnd, median > 0, seconds[job] == nil,
                elapsed > .seconds(median * Self.stragglerFactor)
            {
                slow.append((lease, worker, elapsed))
            }
        }
        for late in overdue.sorted(by: { $0.lease.job < $1.lease.job }) {
            actions.append(.revoke([late.lease], from: late.worker))
            let reason = "it ran longer than \(Int(late.limit.rounded(.up))) s"
            let end = AttemptEnd(worker: late.worker, errorClass: .timeout, reason: reason)
            giveBack(late.lease, toll: .failure, because: end, &actions)
        }
        for late in slow.sorted(by: { ($1.elapsed, $0.lease.job) < ($0.elapsed, $1.lease.job) }) {
            startSecond(late.lease.job, beside: late.worker, &actions)
        }
    }

    /// Starts a second attempt on the first other worker in line that may run it.
    private mutating func startSecond(_ job: JobID, beside holder: WorkerName, _ actions: inout [SchedulerAction]) {
        guard let batch = jobs[job]?.batch, let first = leases[job] else { return }
        var other = line.elements.first { $0 != holder && isFree($0, for: batch) }
        if other == nil {
            let fit = passedOver.filter { $0.key != holder && isFree($0.key, for: batch) }
            other = fit.min { $0.value < $1.value }?.key
        }
        guard let other, let lease = start(job, on: other) else { return }
        actions.append(.store(.seconded(lease, beside: first.epoch, to: other)))
        let failures = Int(jobs[job]?.failures ?? 0)
        actions.append(
            .assign([Assignment(lease: lease, batch: batches[Int(batch)].id, failures: failures)], to: other))
        workers[other]?.free -= 1
    }

    /// Whether a worker wants jobs and may run those of a batch.
    private borrowing func isFree(_ name: WorkerName, for batch: Int32) -> Bool {
        guard let worker = workers[name] else { return false }
        return worker.free > 0 && !worker.isLost && !worker.isDraining && unfitness(of: name, for: batch) == nil
    }
}

extension BatchEntry {
    /// Whether nothing waits and only the last few jobs run.
    var isAtItsEnd: Bool {
        isRunnable && counts[.waiting] == 0 && counts[.running] <= max(3, counts.total / 20)
    }
}

extension TimeLimit {
    /// The limit in seconds, where the median is known if it needs one.
    func seconds(median: Double) -> Double? {
        switch self {
        case .seconds(let seconds): seconds
        case .percentOfMedian(let share): median > 0 ? median * share / 100 : nil
        }
    }
}
