/// What the page's script reads: a snapshot, cut to what a page can show.
struct StatusReport: Encodable {
    /// Most batches, and most workers, of one page.
    private static let limit = 200

    struct Throughput: Encodable {
        let interval: Int
        let succeeded, failed: [UInt32]
        let jobsPerSecond: Double
    }

    /// A batch with more than its row says.
    struct Chosen: Encodable {
        let batch: ServiceSnapshot.Batch
        /// The text of a batch file with every default.
        let parameters: String
    }

    let software: String
    let startedAt: Double
    let age: Double
    let store: String
    /// What needs attention, one sentence each; empty if all goes its way.
    let attention: [String]
    /// Jobs of all batches in each state.
    let jobs: [String: UInt64]
    /// Of the running jobs of all batches, answers that wait to be written, and jobs that wait at their worker until another one
    /// ends.
    let answered, ahead: UInt64
    /// The batch that was asked for; nil if none was, or if there is none of that name.
    let chosen: Chosen?
    let batches: [ServiceSnapshot.Batch]
    let batchCount: Int
    let workers: [ServiceSnapshot.Worker]
    let workerCount: Int
    let failures: [ServiceSnapshot.Failure]
    let throughput: Throughput

    init(_ snapshot: ServiceSnapshot, batch: String? = nil, age: Double) {
        software = snapshot.software
        startedAt = snapshot.startedAt
        self.age = age
        store =
            switch snapshot.store {
            case .healthy: ""
            case .failing(let reason): reason
            }
        attention = snapshot.attention
        jobs = snapshot.batches.reduce(into: [:]) { $0.merge($1.jobs, uniquingKeysWith: +) }
        answered = snapshot.batches.reduce(0) { $0 + $1.answered }
        ahead = UInt64(clamping: snapshot.workers.reduce(0) { $0 + $1.ahead })
        chosen = snapshot.batches.first { $0.batch == batch }.map { Chosen(batch: $0, parameters: $0.parameters()) }
        // What is going on first, then what ended last.
        let isOver = { (batch: ServiceSnapshot.Batch) in batch.state == "finished" || batch.state == "cancelled" }
        let newest = snapshot.batches.reversed()
        batches = Array((newest.filter { !isOver($0) } + newest.filter(isOver)).prefix(Self.limit))
        batchCount = snapshot.batches.count
        workers = Array(
            (snapshot.workers.filter { $0.state != "lost" } + snapshot.workers.filter { $0.state == "lost" })
                .prefix(Self.limit))
        workerCount = snapshot.workers.count { $0.state != "lost" }
        failures = snapshot.failures
        let (succeeded, failed) = snapshot.throughput.history(at: snapshot.seconds)
        // The last minute, without the interval under way unless there is nothing else.
        let lately = 60 / snapshot.throughput.interval
        let recent = zip(succeeded, failed).suffix(lately + 1).dropLast().reduce(0.0) {
            $0 + Double($1.0) + Double($1.1)
        }
        throughput = Throughput(
            interval: snapshot.throughput.interval, succeeded: succeeded, failed: failed, jobsPerSecond: recent / 60)
    }
}

extension ServiceSnapshot {
    /// Batches that do not go on by themselves, in words.
    fileprivate var attention: [String] {
        let stuck = batches.filter { $0.state == "running" && !$0.trouble.isEmpty }
            .map { "Batch \($0.batch) does not go on: \($0.trouble)." }
        let waiting = batches.filter { $0.state == "running" && !$0.isPaused }.reduce(0) {
            $0 + ($1.jobs["waiting"] ?? 0)
        }
        let isAlone = waiting > 0 && !workers.contains { $0.state != "lost" }
        let noWorker = "\(waiting) \(waiting == 1 ? "job waits" : "jobs wait"), and no worker is connected."
        return stuck + (isAlone ? [noWorker] : [])
    }
}
