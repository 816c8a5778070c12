public import JobModel

/// A batch as it stands.
public struct BatchView: Sendable, Hashable {
    /// The batch.
    public var id: BatchID
    /// Where it is in its life.
    public var state: BatchState
    /// Its jobs per state.
    public var counts: JobCounts
    /// Of its running jobs, those whose answer is there and waits to be written.
    public var answered: UInt64
    /// How it is queued.
    public var options: QueueOptions
    /// Whether its jobs are held back.
    public var isPaused: Bool
    /// Of its waiting jobs, those that pause before another attempt.
    public var delayed: UInt64
    /// The median time of its attempts in seconds; nil before the tenth.
    public var median: Double?
    /// Why none of its jobs can run at present; nil if some can.
    public var trouble: String?
}

/// A worker as the scheduler sees it.
public struct WorkerView: Sendable, Hashable {
    /// What a worker is doing.
    public enum State: String, Sendable, Hashable, CaseIterable {
        /// The worker holds no job, or runs some.
        case idle, busy
        /// The worker gets no more jobs and ends when it has done those that it holds.
        case draining
        /// The worker gets no jobs for a while, because everything failed on it.
        case resting
        /// The worker holds no job, and said that it cannot run any of the batches that have jobs.
        case unable
        /// The worker has been silent for too long.
        case lost
    }
    /// Its name.
    public var name: WorkerName
    /// What it is doing.
    public var state: State
    /// Jobs it holds.
    public var running: Int
    /// Held jobs whose answer is there and waits to be written.
    public var answered: Int
    /// Held jobs that wait until another one ends.
    public var ahead: Int
    /// Jobs it works on at the same time.
    public var capacity: Int
    /// Jobs it has ended in this session.
    public var finished: UInt64
    /// Time since it was last heard.
    public var silence: Duration
    /// Why the worker is lost or gets no jobs; empty if it gets jobs.
    public var note: String
}

/// A running attempt that takes far longer than the median of its batch.
public struct Straggler: Sendable, Hashable {
    /// The attempt.
    public var lease: Lease
    /// The worker that holds the attempt.
    public var worker: WorkerName
    /// How long it has run.
    public var elapsed: Duration
    /// Whether the job has a second attempt beside it.
    public var hasSecond: Bool
}

extension Scheduler {
    /// One batch, or nil for an unknown one.
    public borrowing func batch(_ id: BatchID) -> BatchView? {
        guard let batch = batchIndex[id] else { return nil }
        // Submissions ask after each piece, when nothing of the batch runs: then no lease needs looking at.
        let isRunning = batches[Int(batch)].counts[.running] > 0
        return view(of: batch, answered: isRunning ? answeredJobs()[batch, default: 0] : 0)
    }

    /// All batches in the order of their opening.
    public borrowing func allBatches() -> [BatchView] {
        let answered = answeredJobs()
        var views: [BatchView] = []
        for index in batches.indices where !batches[index].isForgotten {
            views.append(view(of: Int32(index), answered: answered[Int32(index), default: 0]))
        }
        return views
    }

    /// Of each batch's running jobs, how many have an answer that waits to be written: those that their workers say so of, and of
    /// what a worker holds beyond its places the first jobs.
    private borrowing func answeredJobs() -> [Int32: UInt64] {
        var counts: [Int32: UInt64] = [:]
        for (job, attempt) in leases where attempt.isComputed {
            if let batch = jobs[job]?.batch { counts[batch, default: 0] += 1 }
        }
        for (name, worker) in workers where worker.leases.count > worker.places {
            let unheard = worker.leases.filter { leases[$0].map { $0.worker == name && !$0.isComputed } ?? false }
            for job in unheard.sorted().prefix(max(0, unheard.count - worker.places)) {
                if let batch = jobs[job]?.batch { counts[batch, default: 0] += 1 }
            }
        }
        return counts
    }

    private borrowing func view(of batch: Int32, answered: UInt64) -> BatchView {
        let entry = batches[Int(batch)]
        let isStuck = entry.isRunnable && entry.counts[.waiting] > 0 && entry.counts[.running] == 0
        return BatchView(
            id: entry.id, state: entry.state, counts: entry.counts, answered: answered, options: entry.options,
            isPaused: entry.isPaused,
            delayed: entry.delayed, median: entry.durations.median, trouble: isStuck ? trouble(of: batch) : nil)
    }

    /// All workers by name, lost ones included.
    public borrowing func allWorkers(at time: Moment) -> [WorkerView] {
        workers.map { [batches, leases] name, entry in
            let rest = entry.restsUntil.map { $0 - time }.flatMap { $0 > .zero ? $0 : nil }
            let unfit = entry.unfit.filter { !batches[Int($0.key)].state.isFinal }
            // With nothing in hand, and no batch that it would be given jobs of.
            let isUnable =
                entry.leases.isEmpty && unfit.values.contains { $0.until > time }
                && !batches.indices.contains {
                    batches[$0].isRunnable && entry.unfit[Int32($0)].map { $0.until <= time } ?? true
                }
            let state: WorkerView.State =
                entry.isLost
                ? .lost
                : entry.isDraining
                    ? .draining
                    : rest != nil ? .resting : isUnable ? .unable : entry.leases.isEmpty ? .idle : .busy
            func wait(_ time: Duration) -> String { "tries again in \(max(1, Int(time / .seconds(1)))) s" }
            let notes =
                entry.isLost
                ? [entry.lossReason]
                : (rest.map { ["\(entry.failedInRow.count) jobs in a row failed on it, \(wait($0))"] } ?? [])
                    + unfit.map { batch, its in
                        let again = its.until > time ? " (\(wait(its.until - time)))" : ""
                        return "\(batches[Int(batch)].id): \(its.reason)\(again)"
                    }.sorted()
            let told = entry.leases.count { leases[$0].map { $0.worker == name && $0.isComputed } ?? false }
            // More than it has places for has been answered since its last heartbeat, apart from what is on its way.
            let answered = max(told, entry.leases.count - entry.places)
            return WorkerView(
                name: name, state: state, running: entry.leases.count, answered: answered,
                ahead: max(0, entry.leases.count - answered - entry.capacity), capacity: entry.capacity,
                finished: entry.finished,
                silence: max(.zero, time - entry.lastHeard), note: notes.joined(separator: "; "))
        }.sorted { $0.name.rawValue < $1.name.rawValue }
    }

    /// Whether a worker's messages count: it said hello and is not lost.
    public borrowing func isPresent(_ name: WorkerName) -> Bool { workers[name].map { !$0.isLost } ?? false }

    /// Whether a worker is listed, a lost one included.
    public borrowing func knows(_ name: WorkerName) -> Bool { workers[name] != nil }

    /// Workers that are listed, lost ones included.
    public var workerCount: Int { workers.count }

    /// Workers that are there.
    public var presentCount: Int { workers.values.count { !$0.isLost } }

    /// Whether some worker is there.
    public var hasWorkers: Bool { workers.values.contains { !$0.isLost } }

    /// Attempts that take far longer than the median of their batch, longest first.
    public borrowing func stragglers(of id: BatchID, at time: Moment) -> [Straggler] {
        guard let batch = batchIndex[id], let median = batches[Int(batch)].durations.median else { return [] }
        var found: [Straggler] = []
        for (job, attempt) in leases where jobs[job]?.batch == batch {
            guard let elapsed = attempt.workTime(at: time), let worker = attempt.worker,
                elapsed > .seconds(median * Self.stragglerFactor)
            else { continue }
            let lease = Lease(job: job, epoch: attempt.epoch)
            found.append(
                Straggler(lease: lease, worker: worker, elapsed: elapsed, hasSecond: seconds[job] != nil))
        }
        return found.sorted { ($1.elapsed, $0.lease.job) < ($0.elapsed, $1.lease.job) }
    }
}
