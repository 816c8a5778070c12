import JobModel
import Scheduling

let batch = BatchID("b")
let ann = WorkerName("ann")
let bob = WorkerName("bob")
let first = SessionID("s1")
let second = SessionID("s2")

func at(_ seconds: Double) -> Moment { Moment(.milliseconds(Int64(seconds * 1000))) }
func jobs(_ ids: ClosedRange<UInt64>, image: UInt64? = nil) -> [NewJob] {
    ids.map { NewJob(id: JobID($0), image: image ?? $0) }
}
func lease(_ job: UInt64, _ epoch: UInt64) -> Lease { Lease(job: JobID(job), epoch: Epoch(epoch)) }
func held(_ job: UInt64, _ epoch: UInt64, _ progress: UInt64 = 0) -> HeldLease {
    HeldLease(lease(job, epoch), progress: progress)
}

let times = SchedulerSettings(heartbeat: .seconds(1), missedHeartbeats: 3, lease: .seconds(10))

/// A scheduler with heartbeats every second, leases of ten and a closed batch.
func scheduler(_ new: [NewJob], lossLimit: Int = 5, options: QueueOptions? = nil) -> Scheduler {
    var scheduler = Scheduler(
        settings: SchedulerSettings(
            heartbeat: .seconds(1), missedHeartbeats: 3, lease: .seconds(10), lossLimit: lossLimit), at: at(0))
    scheduler.batchOpened(batch, options: options)
    _ = scheduler.jobsAdded(new, to: batch, at: at(0))
    _ = scheduler.batchClosed(batch, at: at(0))
    return scheduler
}

extension Scheduler {
    mutating func join(_ name: WorkerName, _ session: SessionID = first, held: [HeldLease] = [], at time: Double)
        -> [SchedulerAction]
    {
        workerJoined(name, session: session, capacity: 100, held: held, at: SchedulingTests.at(time))
    }
}

extension [SchedulerAction] {
    /// The leases assigned to a worker.
    func assigned(to worker: WorkerName) -> [Lease] {
        flatMap { if case .assign(let list, worker) = $0 { list.map(\.lease) } else { [] as [Lease] } }
    }
    /// The leases revoked from a worker.
    func revoked(from worker: WorkerName) -> [Lease] {
        flatMap { if case .revoke(let list, worker) = $0 { list } else { [] as [Lease] } }
    }
    var stored: [JobTransition] { compactMap { if case .store(let transition) = $0 { transition } else { nil } } }
}
