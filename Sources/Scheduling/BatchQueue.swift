internal import JobModel

/// The waiting jobs of one batch, in runs of consecutive jobs that share a picture.
///
/// A run goes to one worker, which keeps what it cannot take at once: the picture is then encoded once. Entries are removed
/// lazily: a job that has meanwhile started or ended is skipped when its turn comes.
struct BatchQueue {
    /// A run not yet begun, or the rest of one: indices into `order`.
    struct Rest {
        var run: Int32
        var next: Int32
    }

    private(set) var order: ContiguousArray<JobID> = []
    private var runEnds: ContiguousArray<Int32> = []
    private var lastImage: UInt64 = 0
    private(set) var nextRun = 0
    private(set) var kept: [WorkerName: Rest] = [:]
    private(set) var again = PriorityQueue<JobID>()
    /// Jobs that wait for a worker of their own; nothing else hands them out.
    private(set) var suspects = PriorityQueue<JobID>()

    /// Appends a job; returns the run that it belongs to.
    mutating func append(_ job: JobID, image: UInt64) -> Int32 {
        order.append(job)
        let end = Int32(order.count)
        // A run that has begun to be handed out is closed.
        if image == lastImage, runEnds.count > nextRun {
            runEnds[runEnds.count - 1] = end
        } else {
            runEnds.append(end)
            lastImage = image
        }
        return Int32(runEnds.count - 1)
    }

    /// Puts a job back in line, ahead of those that never started; a suspect comes after all others.
    mutating func requeue(_ job: JobID, isSuspect: Bool) {
        if isSuspect { suspects.push(job) } else { again.push(job) }
    }

    /// Takes the first suspect that waits.
    mutating func takeSuspect(where waits: (JobID) -> Bool) -> JobID? {
        while let job = suspects.pop() { if waits(job) { return job } }
        return nil
    }

    /// Gives up a worker's claim on the rest of its run; others may take it.
    mutating func release(_ worker: WorkerName) {
        if let rest = kept.removeValue(forKey: worker) { released.append(rest) }
    }
    private(set) var released: [Rest] = []

    /// The indices of `order` that a rest still covers.
    func indices(of rest: Rest) -> Range<Int> { Int(rest.next)..<Int(runEnds[Int(rest.run)]) }

    /// The indices of `order` whose runs nobody has begun.
    var untouched: Range<Int> {
        (nextRun == 0 ? 0 : Int(runEnds[nextRun - 1]))..<order.count
    }

    /// Takes up to `limit` waiting jobs, all of one run, for a worker.
    ///
    /// First the rest of the worker's own run, then jobs that wait again, then a new run, then the rest of someone else's.
    ///
    /// - Parameter runOf: the run of a job that waits, nil for one that does not and for a suspect.
    mutating func take(for worker: WorkerName, limit: Int, runOf: (JobID) -> Int32?) -> [JobID] {
        if let rest = kept.removeValue(forKey: worker) {
            let jobs = take(rest, for: worker, limit: limit, runOf: runOf)
            if !jobs.isEmpty { return jobs }
        }
        let jobs = takeAgain(limit: limit, runOf: runOf)
        if !jobs.isEmpty { return jobs }
        while let rest = released.popLast() {
            let jobs = take(rest, for: worker, limit: limit, runOf: runOf)
            if !jobs.isEmpty { return jobs }
        }
        while nextRun < runEnds.count {
            let rest = Rest(run: Int32(nextRun), next: nextRun == 0 ? 0 : runEnds[nextRun - 1])
            nextRun += 1
            let jobs = take(rest, for: worker, limit: limit, runOf: runOf)
            if !jobs.isEmpty { return jobs }
        }
        while let (other, rest) = kept.first {
            kept[other] = nil
            let jobs = take(rest, for: worker, limit: limit, runOf: runOf)
            if !jobs.isEmpty { return jobs }
        }
        return []
    }

    private mutating func take(_ rest: Rest, for worker: WorkerName, limit: Int, runOf: (JobID) -> Int32?) -> [JobID] {
        var jobs: [JobID] = []
        for index in indices(of: rest) {
            if jobs.count == limit {
                kept[worker] = Rest(run: rest.run, next: Int32(index))
                break
            }
            if runOf(order[index]) != nil { jobs.append(order[index]) }
        }
        return jobs
    }

    private mutating func takeAgain(limit: Int, runOf: (JobID) -> Int32?) -> [JobID] {
        var jobs: [JobID] = []
        var run: Int32?
        while jobs.count < limit, let job = again.first {
            if let its = runOf(job) {
                guard run == nil || its == run else { break }
                run = its
                if jobs.last != job { jobs.append(job) }
            }
            _ = again.pop()
        }
        return jobs
    }
}
