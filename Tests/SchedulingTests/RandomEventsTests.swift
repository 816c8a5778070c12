import JobModel
import Scheduling
import Testing

/// Random events of every kind, the invariants after each one, and at the end every job ended exactly once.
@Suite struct RandomEventsTests {
    /// The world around a scheduler: what workers hold and what has been committed, kept independently of it.
    struct World: ~Copyable {
        var scheduler = Scheduler(
            settings: SchedulerSettings(heartbeat: .seconds(1), missedHeartbeats: 3, lease: .seconds(8), lossLimit: 4),
            at: Moment(.zero))
        var random: SeededGenerator
        var now = Moment(.zero)
        var nextJob: UInt64 = 1
        var nextBatch = 1
        var open: [BatchID] = []
        var batchOf: [JobID: BatchID] = [:]
        var sessions: [WorkerName: Int] = [:]
        /// What workers believe to hold, stale leases included.
        var holds: [WorkerName: [Lease: UInt64]] = [:]
        var offered: [WorkerName: Int] = [:]
        var epochs: [JobID: Epoch] = [:]
        var ended: [JobID: String] = [:]
        var broken: [String] = []

        init(seed: UInt64) { random = SeededGenerator(seed: seed) }

        mutating func obey(_ actions: [SchedulerAction]) {
            for action in actions {
                switch action {
                case .store(let transition): check(transition)
                case .assign(let list, let worker):
                    offered[worker, default: 0] -= list.count
                    if offered[worker, default: 0] < 0 { broken.append("\(worker) got more than it offered") }
                    for assignment in list {
                        if batchOf[assignment.lease.job] != assignment.batch { broken.append("wrong batch") }
                        holds[worker, default: [:]][assignment.lease] = 0
                    }
                case .revoke(let leases, let worker):
                    for lease in leases where random.below(4) > 0 { holds[worker]?[lease] = nil }
                case .workerLost(let worker, _): offered[worker] = 0
                case .refuse: broken.append("a live worker was refused")
                }
            }
        }

        mutating func check(_ transition: JobTransition) {
            func end(_ lease: Lease, _ how: String) {
                if let earlier = ended[lease.job] { broken.append("job \(lease.job): \(how) after \(earlier)") }
                if epochs[lease.job, default: .none] != lease.epoch { broken.append("\(lease) \(how), not current") }
                ended[lease.job] = how
            }
            switch transition {
            case .assigned(let lease, _):
                if lease.epoch != epochs[lease.job, default: .none].next { broken.append("\(lease) skips an epoch") }
                if ended[lease.job] != nil { broken.append("\(lease) starts after its end") }
                epochs[lease.job] = lease.epoch
            case .adopted(let lease, _), .requeued(let lease, _):
                if epochs[lease.job] != lease.epoch { broken.append("\(lease) is not current") }
            case .quarantined(let lease, _, _): end(lease, "quarantined")
            case .committed(let commit): end(commit.lease, "committed")
            case .batchCancelled(let id, _):
                for (job, its) in batchOf where its == id && ended[job] == nil { ended[job] = "cancelled" }
            case .batchFinished(let id):
                if batchOf.contains(where: { $0.value == id && ended[$0.key] == nil }) {
                    broken.append("\(id) finished too early")
                }
            }
        }

        mutating func offer(_ name: WorkerName, _ free: Int) {
            // A worker that is lost may not be taken by its word; it has to say hello again.
            offered[name] = scheduler.isPresent(name) ? free : 0
            obey(scheduler.creditOffered(name, free: free, at: now))
        }

        mutating func beat(_ name: WorkerName, working: Bool) {
            var list: [HeldLease] = []
            for (lease, progress) in holds[name, default: [:]].sorted(by: { $0.key.job < $1.key.job }) {
                let grown = progress + (working || random.below(2) == 0 ? 1 : 0)
                holds[name]?[lease] = grown
                list.append(HeldLease(lease, progress: grown))
            }
            obey(scheduler.heartbeat(name, held: list, at: now))
        }

        mutating func report(_ name: WorkerName, _ count: Int, forget: Bool) {
            let mine = holds[name, default: [:]].keys.sorted { ($0.job, $0.epoch) < ($1.job, $1.epoch) }.prefix(count)
            for lease in mine {
                let row = ReportedRow(lease: lease, row: 0, error: random.below(5) == 0 ? "failed" : nil)
                let outcome = scheduler.rowsReported(
                    [row], shard: "s", batch: batchOf[lease.job] ?? BatchID("?"), by: name, at: now)
                if outcome.committed.isEmpty, epochs[lease.job] == lease.epoch, ended[lease.job] == nil {
                    broken.append("\(lease) is current and was refused")
                }
                obey(outcome.actions)
                // An answer that is lost leads to a second report.
                if forget { holds[name]?[lease] = nil }
            }
        }

        mutating func join(_ name: WorkerName, restarted: Bool) {
            if restarted || sessions[name] == nil {
                sessions[name, default: 0] += 1
                holds[name] = [:]
            }
            offered[name] = 0
            let list = holds[name, default: [:]].map { HeldLease($0.key, progress: $0.value) }
            obey(
                scheduler.workerJoined(
                    name, session: SessionID("\(sessions[name, default: 0])"), capacity: 12,
                    held: list.sorted { $0.lease.job < $1.lease.job }, at: now))
        }

        mutating func step() {
            let name = WorkerName("w\(random.below(5))")
            switch random.below(20) {
            case 0:
                let id = BatchID("b\(nextBatch)")
                nextBatch += 1
                scheduler.batchOpened(id)
                open.append(id)
            case 1, 2:
                guard !open.isEmpty else { return }
                let id = open[random.below(open.count)]
                let new = (0..<random.below(12)).map { _ in
                    defer { nextJob += 1 }
                    return NewJob(id: JobID(nextJob), image: nextJob / 4)
                }
                for job in new { batchOf[job.id] = id }
                obey(scheduler.jobsAdded(new, to: id, at: now))
            case 3:
                guard !open.isEmpty else { return }
                obey(scheduler.batchClosed(open.remove(at: random.below(open.count)), at: now))
            case 4: if random.below(8) == 0 { cancel() }
            case 5: join(name, restarted: random.below(6) == 0)
            case 6:
                if random.below(6) == 0 {
                    obey(scheduler.workerLeft(name, at: now))
                    offered[name] = 0
                }
            case 7...10: offer(name, random.below(12))
            case 11...13: beat(name, working: false)
            case 14...16: report(name, 1 + random.below(5), forget: random.below(5) > 0)
            case 17:
                let back = holds[name, default: [:]].keys.sorted { $0.job < $1.job }.prefix(2)
                for lease in back { holds[name]?[lease] = nil }
                if scheduler.isPresent(name) { offered[name] = 0 }
                obey(scheduler.jobsReturned(Array(back), by: name, at: now))
            default:
                now = now + .milliseconds(random.below(900))
                obey(scheduler.timePassed(to: now))
            }
        }

        mutating func cancel() {
            let id = BatchID("b\(1 + random.below(nextBatch))")
            open.removeAll { $0 == id }
            obey(scheduler.batchCancelled(id, reason: "", at: now).actions)
        }

        /// Everything is closed, and one diligent worker does what is left.
        mutating func finish() {
            for id in open { obey(scheduler.batchClosed(id, at: now)) }
            open = []
            let name = WorkerName("diligent")
            join(name, restarted: true)
            for _ in 0..<400 {
                now = now + .milliseconds(700)
                beat(name, working: true)
                offer(name, 12)
                report(name, 12, forget: true)
                obey(scheduler.timePassed(to: now))
            }
            for job in batchOf.keys where ended[job] == nil { broken.append("job \(job) never ended") }
            for view in scheduler.allBatches() where !view.state.isFinal { broken.append("\(view.id) never ended") }
        }
    }

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func invariantsHold(seed: UInt64) {
        var world = World(seed: seed)
        for step in 0..<3000 {
            world.step()
            world.broken += world.scheduler.sanityCheck()
            guard world.broken.isEmpty else {
                Issue.record("seed \(seed), step \(step): \(world.broken)")
                return
            }
        }
        world.finish()
        world.broken += world.scheduler.sanityCheck()
        #expect(world.broken == [], "seed \(seed)")
        #expect(world.ended.values.contains("committed"))
        #expect(world.ended.values.contains("cancelled"))
    }

    @Test func aLargeBatchTakesNoScanPerEvent() {
        // 200,000 jobs: a scan of all jobs per event would take minutes here.
        let count: UInt64 = 200_000
        var scheduler = scheduler((1...count).map { NewJob(id: JobID($0), image: $0 / 7) })
        _ = scheduler.join(ann, at: 0)
        var next = scheduler.creditOffered(ann, free: 64, at: at(0)).assigned(to: ann)
        var ended = 0
        while !next.isEmpty {
            let rows = next.map { ReportedRow(lease: $0, row: 0) }
            ended += scheduler.rowsReported(rows, shard: "s", batch: batch, by: ann, at: at(1)).committed.count
            next = scheduler.creditOffered(ann, free: 64, at: at(1)).assigned(to: ann)
        }
        #expect(ended == Int(count))
        #expect(scheduler.batch(batch)?.state == .finished)
        #expect(scheduler.sanityCheck() == [])
    }
}
