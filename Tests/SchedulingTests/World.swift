import JobModel
import Scheduling
import TestSupport

/// The world around a scheduler: what workers hold and what has been stored, kept independently of it.
struct World: ~Copyable {
    /// As many unfinished jobs at a time, so that a full check of everything is cheap enough after each event.
    private static let jobLimit = 80

    static let settings = {
        var settings = SchedulerSettings(
            heartbeat: .seconds(1), missedHeartbeats: 3, lease: .seconds(8), lossLimit: 4)
        settings.memory = .seconds(60)
        settings.unfitness = .seconds(10)
        settings.longestUnfitness = .seconds(20)
        settings.failuresBeforeRest = 3
        return settings
    }()

    var scheduler = Scheduler(settings: settings, at: Moment(.zero))
    var random: SeededGenerator
    var now = Moment(.zero)
    var nextJob: UInt64 = 1
    var nextBatch = 1

    /// What is stored of a batch.
    struct Batch {
        var id: BatchID
        var state = BatchState.open
        var isPaused = false
        var options: QueueOptions
        var jobs: [JobID] = []
        var unfinished = 0
        var isForgotten = false
    }
    var batches: [Batch] = []
    var numberOf: [BatchID: Int] = [:]
    /// Batches that are not over.
    var live: [Int] = []

    /// What is stored of a job.
    var batchOf: [JobID: Int] = [:]
    var epochs: [JobID: Epoch] = [:]
    /// Attempts that count beside the last one.
    var rivals: [JobID: Epoch] = [:]
    /// Who had the last attempt at each job.
    var holder: [JobID: WorkerName] = [:]
    var running: Set<JobID> = []
    var losses: [JobID: Int] = [:]
    var failures: [JobID: Int] = [:]
    var ended: [JobID: String] = [:]
    var unfinished = 0

    var sessions: [WorkerName: Int] = [:]
    /// What workers believe to hold, stale leases included.
    var holds: [WorkerName: [Lease: UInt64]] = [:]
    var offered: [WorkerName: Int] = [:]
    /// What has happened at all.
    var seen: Set<String> = []
    var broken: [String] = []

    init(seed: UInt64) { random = SeededGenerator(seed: seed) }

    // MARK: What the scheduler wants done

    mutating func obey(_ actions: [SchedulerAction]) {
        for action in actions {
            switch action {
            case .store(let transition): store(transition)
            case .assign(let list, let worker):
                offered[worker, default: 0] -= list.count
                if offered[worker, default: 0] < 0 { broken.append("\(worker) got more than it offered") }
                for assignment in list {
                    let batch = batches[batchOf[assignment.lease.job] ?? 0]
                    if batch.id != assignment.batch { broken.append("wrong batch") }
                    if batch.state != .running || batch.isPaused { broken.append("\(batch.id) does not run") }
                    holds[worker, default: [:]][assignment.lease] = 0
                }
            case .revoke(let leases, let worker):
                for lease in leases where random.below(4) > 0 { holds[worker]?[lease] = nil }
            case .workerLost(let worker, _): offered[worker] = 0
            case .workerForgotten(let worker): sessions[worker] = nil
            case .refuse: broken.append("a live worker was refused")
            }
        }
    }

    /// Whether the store would take a result or an end of this attempt.
    func counts(_ lease: Lease) -> Bool {
        ended[lease.job] == nil && (epochs[lease.job] == lease.epoch || rivals[lease.job] == lease.epoch)
    }

    mutating func store(_ transition: JobTransition) {
        switch transition {
        case .assigned(let lease, let worker):
            holder[lease.job] = worker
            if lease.epoch != epochs[lease.job, default: .none].next { broken.append("\(lease) skips an epoch") }
            if ended[lease.job] != nil { broken.append("\(lease) starts after its end") }
            if !running.insert(lease.job).inserted { broken.append("\(lease) starts while it runs") }
            epochs[lease.job] = lease.epoch
            rivals[lease.job] = nil
        case .seconded(let lease, let first, let worker):
            holder[lease.job] = worker
            if lease.epoch != epochs[lease.job, default: .none].next { broken.append("\(lease) skips an epoch") }
            if !running.contains(lease.job) { broken.append("\(lease) is second to nothing") }
            if !counts(Lease(job: lease.job, epoch: first)) { broken.append("\(lease) is beside what does not count") }
            rivals[lease.job] = first
            epochs[lease.job] = lease.epoch
            seen.insert("second run")
        case .adopted(let lease, let worker):
            holder[lease.job] = worker
            if !counts(lease) { broken.append("\(lease) is adopted and does not count") }
            running.insert(lease.job)
            seen.insert("adopted")
        case .requeued(let lease, let toll, let end):
            let ran = running.remove(lease.job) != nil
            if !ran || !counts(lease) { broken.append("\(lease) is requeued out of nothing") }
            rivals[lease.job] = nil
            charge(lease.job, toll, end)
        case .withdrawn(let lease, let toll, let end):
            if !counts(lease) || !running.contains(lease.job) { broken.append("\(lease) is withdrawn out of nothing") }
            if rivals[lease.job] == lease.epoch { rivals[lease.job] = nil }
            charge(lease.job, toll, end)
        case .quarantined(let lease, let toll, let end):
            charge(lease.job, toll, end)
            let limit = batches[batchOf[lease.job] ?? 0].options.crashLimit
            if losses[lease.job, default: 0] < limit { broken.append("\(lease) is given up too early") }
            finish(lease, "quarantined")
        case .failed(let lease, let end):
            charge(lease.job, .failure, end)
            finish(lease, "failed")
        case .committed(let commit): finish(commit.lease, commit.error == nil ? "succeeded" : "failed")
        case .batchCancelled(let id, let reason, _): cancel(numberOf[id] ?? 0, reason)
        case .batchFinished(let id):
            let number = numberOf[id] ?? 0
            if batches[number].unfinished > 0 { broken.append("\(id) finished too early") }
            batches[number].state = .finished
            live.removeAll { $0 == number }
        case .batchReopened(let id):
            let number = numberOf[id] ?? 0
            if !batches[number].state.isFinal { broken.append("\(id) is reopened and was not over") }
            batches[number].state = .running
            live.append(number)
        case .batchPaused(let id, let isPaused):
            batches[numberOf[id] ?? 0].isPaused = isPaused
            seen.insert("pause")
        }
    }

    private mutating func charge(_ job: JobID, _ toll: JobToll, _ end: AttemptEnd?) {
        switch toll {
        case .none: if end?.errorClass != nil { seen.insert("rest") }
        case .loss: losses[job, default: 0] += 1
        case .failure: failures[job, default: 0] += 1
        }
        if end?.errorClass == .timeout { seen.insert("timeout") }
    }

    private mutating func finish(_ lease: Lease, _ how: String) {
        if let earlier = ended[lease.job] { broken.append("job \(lease.job): \(how) after \(earlier)") }
        if !counts(lease) { broken.append("\(lease) \(how), and does not count") }
        end(lease.job, how)
    }

    private mutating func end(_ job: JobID, _ how: String) {
        ended[job] = how
        running.remove(job)
        rivals[job] = nil
        batches[batchOf[job] ?? 0].unfinished -= 1
        unfinished -= 1
    }

    private mutating func cancel(_ number: Int, _ reason: String) {
        if batches[number].state.isFinal { broken.append("\(batches[number].id) is cancelled after its end") }
        for job in batches[number].jobs where ended[job] == nil { end(job, "cancelled") }
        batches[number].state = .cancelled
        batches[number].isPaused = false
        live.removeAll { $0 == number }
        if reason.contains("that may") { seen.insert("max fails") }
    }

    // MARK: What workers and clients do

    mutating func step() {
        let name = WorkerName("w\(random.below(5))")
        switch random.below(24) {
        case 0: if live.count < 6 { open() }
        case 1, 2: submit()
        case 3:
            guard let number = pick(live), batches[number].state == .open else { return }
            batches[number].state = .running
            obey(scheduler.batchClosed(batches[number].id, at: now))
        case 4: rarely()
        case 5: join(name, restarted: random.below(6) == 0)
        case 6:
            if random.below(6) == 0 {
                obey(scheduler.workerLeft(name, at: now))
                offered[name] = 0
            }
        case 7...10: offer(name, random.below(12))
        case 11...13: beat(name, working: false)
        case 14...16: report(name, 1 + random.below(5), forget: random.below(5) > 0)
        case 17: giveBack(name)
        case 18, 19: fail(name)
        default:
            now = now + .milliseconds(random.below(900))
            obey(scheduler.timePassed(to: now))
        }
    }

    private mutating func rarely() {
        switch random.below(16) {
        case 0:
            guard let number = pick(live) else { return }
            obey(scheduler.batchCancelled(batches[number].id, reason: "", at: now).actions)
        case 1...4:
            guard let number = pick(live) else { return }
            obey(scheduler.batchPaused(batches[number].id, !batches[number].isPaused, at: now))
        case 5...8: retry()
        case 9: restart()
        case 10, 11: replace()
        case 12, 13:
            let (woken, actions) = scheduler.workersWoken(scheduler.allWorkers(at: now).map(\.name), at: now)
            if !woken.isEmpty { seen.insert("woken") }
            obey(actions)
        case 14: forget()
        default: break
        }
    }

    private mutating func pick(_ list: [Int]) -> Int? { list.isEmpty ? nil : list[random.below(list.count)] }

    private mutating func open() {
        let id = BatchID("b\(nextBatch)")
        nextBatch += 1
        var options = QueueOptions(priority: Int32(random.below(3)), crashLimit: 2 + random.below(4))
        if random.below(3) == 0 { options.maxFails = random.below(2) == 0 ? .count(3) : .percent(30) }
        if random.below(3) == 0 { options.retries = random.below(4) }
        if random.below(3) == 0 { options.timeout = .seconds(Double(1 + random.below(4))) }
        options.secondRuns = random.below(2) == 0
        numberOf[id] = batches.count
        live.append(batches.count)
        batches.append(Batch(id: id, options: options))
        scheduler.batchOpened(id, options: options)
    }

    private mutating func submit() {
        guard let number = pick(live), unfinished < Self.jobLimit else { return }
        let new = (0..<random.below(12)).map { _ in
            defer { nextJob += 1 }
            return NewJob(id: JobID(nextJob), image: nextJob / 4)
        }
        for job in new { batchOf[job.id] = number }
        batches[number].jobs += new.map(\.id)
        batches[number].unfinished += new.count
        unfinished += new.count
        obey(scheduler.jobsAdded(new, to: batches[number].id, at: now))
    }

    /// Jobs that failed or were cancelled, of any batch, run again.
    private mutating func retry() {
        guard !batches.isEmpty, unfinished < Self.jobLimit else { return }
        let number = max(0, batches.count - 1 - random.below(8))
        for (words, state) in [(["failed", "quarantined"], JobState.failed), (["cancelled"], .cancelled)] {
            let jobs = batches[number].jobs.filter { ended[$0].map(words.contains) ?? false }.prefix(3)
            guard !jobs.isEmpty, batches[number].state != .open, !batches[number].isForgotten else { continue }
            for job in jobs {
                ended[job] = nil
                epochs[job] = epochs[job, default: .none].next
                (losses[job], failures[job]) = (nil, nil)
            }
            batches[number].unfinished += jobs.count
            unfinished += jobs.count
            let new = jobs.map { NewJob(id: $0, image: $0.rawValue / 4, epoch: epochs[$0] ?? .none) }
            obey(scheduler.jobsAdded(new, to: batches[number].id, formerly: state, at: now))
            seen.insert("retry")
        }
    }

    private mutating func forget() {
        guard !batches.isEmpty else { return }
        let number = max(0, batches.count - 1 - random.below(8))
        scheduler.batchForgotten(batches[number].id)
        let isKnown = scheduler.batch(batches[number].id) != nil
        if isKnown == (batches[number].state.isFinal || batches[number].isForgotten) {
            broken.append("\(batches[number].id) is known: \(isKnown)")
        }
        if !isKnown {
            batches[number].isForgotten = true
            seen.insert("forgotten")
        }
    }

    /// The item of a job that waits after an attempt becomes another one.
    private mutating func replace() {
        guard let number = pick(live) else { return }
        let waiting = batches[number].jobs.filter { ended[$0] == nil && !running.contains($0) && epochs[$0] != nil }
        guard let job = waiting.last, let epoch = epochs[job]?.next else { return }
        epochs[job] = epoch
        obey(scheduler.epochRaised(to: Lease(job: job, epoch: epoch), at: now))
        seen.insert("replaced")
    }

    /// The coordinator is killed and started again: only what was stored is left.
    private mutating func restart() {
        seen.insert("restart")
        scheduler = Scheduler(settings: Self.settings, at: now, seed: random.next())
        offered = [:]
        for number in batches.indices where !batches[number].isForgotten {
            let batch = batches[number]
            var counts = JobCounts()
            for job in batch.jobs {
                switch ended[job] {
                case "succeeded": counts[.succeeded] += 1
                case "cancelled": counts[.cancelled] += 1
                case .some: counts[.failed] += 1
                case nil: break
                }
            }
            scheduler.batchOpened(
                batch.id, state: batch.state, ended: counts, options: batch.options, isPaused: batch.isPaused)
            guard !batch.state.isFinal else { continue }
            let left = batch.jobs.filter { ended[$0] == nil }.map {
                NewJob(
                    id: $0, image: $0.rawValue / 4, epoch: epochs[$0] ?? .none, losses: losses[$0] ?? 0,
                    failures: failures[$0] ?? 0, wasRunning: running.contains($0),
                    worker: running.contains($0) ? holder[$0] : nil, rival: running.contains($0) ? rivals[$0] : nil)
            }
            obey(scheduler.jobsAdded(left, to: batch.id, at: now))
            obey(scheduler.batchResumed(batch.id, at: now))
        }
    }

    private mutating func offer(_ name: WorkerName, _ free: Int) {
        // A worker that is lost may not be taken by its word; it has to say hello again.
        let isResting = scheduler.allWorkers(at: now).contains { $0.name == name && $0.state == .resting }
        offered[name] = scheduler.isPresent(name) && !isResting ? free : 0
        obey(scheduler.creditOffered(name, free: free, at: now))
    }

    private mutating func beat(_ name: WorkerName, working: Bool) {
        var list: [HeldLease] = []
        for (lease, progress) in holds[name, default: [:]].sorted(by: { $0.key.job < $1.key.job }) {
            let grown = progress + (working || random.below(2) == 0 ? 1 : 0)
            holds[name]?[lease] = grown
            list.append(HeldLease(lease, progress: grown, isComputed: !working && random.below(8) == 0))
        }
        obey(scheduler.heartbeat(name, held: list, at: now))
    }

    private func held(by name: WorkerName) -> [Lease] {
        holds[name, default: [:]].keys.sorted { ($0.job, $0.epoch) < ($1.job, $1.epoch) }
    }

    private mutating func report(_ name: WorkerName, _ count: Int, forget: Bool) {
        for lease in held(by: name).prefix(count) {
            let row = ReportedRow(
                lease: lease, row: 0, error: random.below(8) == 0 ? "failed" : nil,
                summary: JobSummary(seconds: 0.1 + Double(random.below(10)) / 10))
            let id = batches[batchOf[lease.job] ?? 0].id
            let isCurrent = counts(lease)
            let outcome = scheduler.rowsReported([row], shard: "s", batch: id, by: name, at: now)
            if outcome.committed.isEmpty, isCurrent { broken.append("\(lease) is current and was refused") }
            obey(outcome.actions)
            // An answer that is lost leads to a second report.
            if forget { holds[name]?[lease] = nil }
        }
    }

    private mutating func join(_ name: WorkerName, restarted: Bool) {
        if restarted || sessions[name] == nil {
            sessions[name, default: 0] += 1 + random.below(1000)
            // What had been written before is still known to the new process.
            holds[name] = holds[name]?.filter { $0.key.job.rawValue % 4 == 0 }
        }
        offered[name] = 0
        let list = holds[name, default: [:]].map { HeldLease($0.key, progress: $0.value) }
        obey(
            scheduler.workerJoined(
                name, session: SessionID("\(sessions[name, default: 0])"), capacity: 12,
                held: list.sorted { $0.lease.job < $1.lease.job }, at: now))
    }

    private mutating func giveBack(_ name: WorkerName) {
        let back = Array(held(by: name).prefix(2))
        for lease in back { holds[name]?[lease] = nil }
        if scheduler.isPresent(name) { offered[name] = 0 }
        let unfit = random.below(3) == 0 ? "the model does not load" : nil
        if unfit != nil, !back.isEmpty { seen.insert("unfit") }
        obey(scheduler.jobsReturned(back, unfit: unfit, by: name, at: now))
    }

    private mutating func fail(_ name: WorkerName) {
        let classes = ErrorClass.allCases
        let failed = held(by: name).prefix(1 + random.below(3)).map {
            FailedAttempt(lease: $0, errorClass: classes[random.below(classes.count)], reason: "bad luck")
        }
        for failure in failed { holds[name]?[failure.lease] = nil }
        obey(scheduler.attemptsFailed(failed, by: name, at: now))
    }

    /// Everything is closed, and one diligent worker does what is left.
    mutating func finish() {
        for number in live {
            if batches[number].isPaused { obey(scheduler.batchPaused(batches[number].id, false, at: now)) }
            guard batches[number].state == .open else { continue }
            batches[number].state = .running
            obey(scheduler.batchClosed(batches[number].id, at: now))
        }
        let name = WorkerName("diligent")
        join(name, restarted: true)
        for _ in 0..<600 {
            now = now + .milliseconds(900)
            beat(name, working: true)
            offer(name, 12)
            report(name, 12, forget: true)
            obey(scheduler.timePassed(to: now))
        }
        for job in batchOf.keys where ended[job] == nil { broken.append("job \(job) never ended") }
        for view in scheduler.allBatches() where !view.state.isFinal { broken.append("\(view.id) never ended") }
    }
}
