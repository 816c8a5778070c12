internal import Foundation
internal import JobModel
internal import ResultFiles
internal import WireProtocol

/// What other threads tell the one that writes results.
enum WriterLetter: Sendable {
    case finished(FinishedJob, of: BatchID, BatchDescription)
    /// How many jobs of a batch are in the runner now.
    case running(BatchID, Int)
    case drop(Lease)
    /// The worker is stopping: don't wait for more rows once nothing of a batch runs.
    case hurry
    case end
}

/// The loop of the thread that owns HDF5: gathers rows in memory and seals them as shards when they are due.
struct WriterLoop: Sendable {
    /// A thread that hangs stops counting within a second, and with it the leases of the rows it holds.
    private static let longestRest: Duration = .seconds(1)

    let inbox = Inbox<WriterLetter>()
    let progress = ProgressCounter()
    let configuration: WorkerConfiguration

    init(_ configuration: WorkerConfiguration) { self.configuration = configuration }

    /// Runs until it is told to end.
    func run(link: LinkInbox) {
        var batches: [BatchID: PendingRows] = [:]
        var hurrying = false
        while true {
            let now = ContinuousClock.now
            let policy = configuration.sealing
            let due = batches.values.compactMap { $0.due(policy, hurrying: hurrying) }.min()
            let letters = inbox.wait(until: min(due ?? now + Self.longestRest, now + Self.longestRest))
            progress.advance()
            for letter in letters {
                let now = ContinuousClock.now
                switch letter {
                case .finished(let job, let batch, let description):
                    batches[batch, default: PendingRows(description)].add(job, now: now)
                case .running(let batch, let count): batches[batch]?.setRunning(count, now: now)
                case .drop(let lease): for batch in batches.keys { batches[batch]?.drop(lease) }
                case .hurry: hurrying = true
                case .end: return
                }
            }
            let dueNow = batches.filter { entry in
                entry.value.due(policy, hurrying: hurrying).map { $0 <= .now } ?? false
            }
            for (batch, pending) in dueNow {
                batches[batch] = nil
                seal(pending, of: batch, link: link)
            }
            batches = batches.filter { !$0.value.jobs.isEmpty }
        }
    }

    /// Writes the rows; a second attempt starts anew from the rows in memory.
    private func seal(_ pending: PendingRows, of batch: BatchID, link: LinkInbox) {
        let sealing = ShardSealing(worker: configuration.name, batch: batch, description: pending.description)
        do {
            let shard: SealedShard
            do {
                shard = try sealing.seal(pending.jobs.map(\.row))
            } catch {
                progress.advance()
                shard = try sealing.seal(pending.jobs.map(\.row))
            }
            link.post(.sealed(report(shard, pending.jobs, batch)))
        } catch {
            link.post(
                .failed(
                    WorkerError(
                        .results,
                        "results of batch \(batch) cannot be written to \(pending.description.results): \(error); free "
                            + "space or correct the permissions there, then start the worker again"),
                    unwritten: pending.jobs.map(\.lease)))
        }
    }

    private func report(_ shard: SealedShard, _ jobs: [FinishedJob], _ batch: BatchID) -> WireShardReport {
        var report = WireShardReport()
        report.batch = batch.rawValue
        report.shard = shard.path
        report.sha256 = Data(shard.sha256)
        report.bytes = shard.bytes
        report.rows = jobs.enumerated().map { index, job in
            var row = WireRow()
            row.lease = WireLease(job.lease)
            row.row = UInt32(clamping: index)
            row.failed = job.error != nil
            row.error = job.error ?? ""
            row.summary = WireSummary(job.summary)
            return row
        }
        return report
    }
}

/// Finished jobs of one batch that wait in memory; no file is open while the model runs.
private struct PendingRows {
    let description: BatchDescription
    private(set) var jobs: [FinishedJob] = []
    private var bytes = 0
    private var firstAt: ContinuousClock.Instant?
    /// Since when no job of the batch runs; nil while one does.
    private var idleSince: ContinuousClock.Instant?

    init(_ description: BatchDescription) { self.description = description }

    mutating func add(_ job: FinishedJob, now: ContinuousClock.Instant) {
        jobs.append(job)
        bytes += job.row.byteCount
        if firstAt == nil { firstAt = now }
    }

    mutating func setRunning(_ count: Int, now: ContinuousClock.Instant) { idleSince = count == 0 ? now : nil }

    mutating func drop(_ lease: Lease) {
        guard let index = jobs.firstIndex(where: { $0.lease == lease }) else { return }
        bytes -= jobs[index].row.byteCount
        jobs.remove(at: index)
    }

    /// When the rows are to be sealed; nil while there are none.
    func due(_ policy: WorkerConfiguration.Sealing, hurrying: Bool) -> ContinuousClock.Instant? {
        guard let firstAt, !jobs.isEmpty else { return nil }
        if jobs.count >= policy.rows || bytes >= policy.bytes { return firstAt }
        let byAge = firstAt + policy.age
        guard let idleSince else { return byAge }
        return min(byAge, hurrying ? idleSince : idleSince + policy.idle)
    }
}
