internal import Foundation
internal import JobModel
internal import ResultFiles
internal import WireProtocol

/// Messages of other threads to the one that writes results.
enum WriterLetter: Sendable {
    case finished(FinishedJob, of: LeasedJob)
    /// How many jobs of a batch are in the runner now, and where their results go.
    case running(BatchID, Int, in: String)
    /// Some rows of a reported shard came too late; those of these jobs are to be written again by themselves.
    case rewrite(WireShardReport, keeping: Set<UInt64>)
    /// The worker is stopping: don't wait for more rows once nothing of a batch runs.
    case hurry
    case end
}

/// The loop of the thread that writes result files: gathers rows in memory and seals them as shards when they are due.
struct WriterLoop: Sendable {
    /// A thread that hangs stops counting within a second, and with it the leases of the rows it holds.
    private static let longestRest: Duration = .seconds(1)

    let inbox = Inbox<WriterLetter>()
    let progress = ProgressCounter()
    let configuration: WorkerConfiguration

    init(_ configuration: WorkerConfiguration) { self.configuration = configuration }

    /// Runs until it is told to end; rows that are not sealed by then are lost, and their jobs run again.
    func run(link: LinkInbox) {
        var shards: [ShardHeader: PendingShard] = [:]
        var idleSince: [BatchID: ContinuousClock.Instant] = [:]
        var hurrying = false
        /// Batches whose folders took a file when they were tried last.
        var writable: Set<BatchID> = []

        /// When a shard is to be sealed at the latest.
        func due(_ shard: PendingShard) -> ContinuousClock.Instant? {
            let byIdleness = idleSince[shard.batch].map { hurrying ? $0 : $0 + configuration.sealing.idle }
            return [shard.rows.deadline, byIdleness].compactMap { $0 }.min()
        }

        while true {
            let rest = ContinuousClock.now + Self.longestRest
            let letters = inbox.wait(until: min(rest, shards.values.compactMap(due).min() ?? rest))
            progress.advance()
            for letter in letters {
                // Many rows may have come in while one shard was synced: each one is a step, or a slow disk would look hung.
                progress.advance()
                switch letter {
                case .finished(let job, let leased):
                    let header = header(of: job, leased)
                    var shard = shards.removeValue(forKey: header) ?? pendingShard(header, leased)
                    do {
                        try shard.add(job, of: leased, now: .now)
                    } catch {
                        // Whatever a runner makes of a job, it costs that job only.
                        link.post(.failedWithoutRow(job.lease, .input, error.message))
                    }
                    if shard.isDue(at: .now) { seal(shard, &writable, link: link) } else { shards[header] = shard }
                case .running(let batch, let count, let results):
                    idleSince[batch] = count == 0 ? .now : nil
                    if count > 0, !writable.contains(batch) { tryFolder(results, of: batch, &writable, link: link) }
                case .rewrite(let report, let jobs): rewrite(report, keeping: jobs, link: link)
                case .hurry: hurrying = true
                case .end: return
                }
            }
            for (header, shard) in shards where due(shard).map({ $0 <= .now }) ?? false {
                progress.advance()
                shards[header] = nil
                seal(shard, &writable, link: link)
            }
            idleSince = idleSince.filter { entry in shards.values.contains { $0.batch == entry.key } }
        }
    }

    /// The header that the runner gave, with what only the worker knows.
    private func header(of job: FinishedJob, _ leased: LeasedJob) -> ShardHeader {
        var header = job.header
        header.batch = leased.batch.rawValue
        header.worker = configuration.name.rawValue
        header.software = ProtocolVersion.software
        header.host = Machine.host
        header.processor = Machine.processor
        return header
    }

    private func pendingShard(_ header: ShardHeader, _ leased: LeasedJob) -> PendingShard {
        let policy = configuration.sealing
        let limits = ShardWriter.Limits(rows: policy.rows, bytes: policy.bytes, age: policy.age)
        return PendingShard(
            leased.batch, folder: ResultsFolder(leased.description.results), token: leased.description.resultsToken,
            header, limits, writesFile: policy.writesShards)
    }

    /// Finds out whether results can be written before jobs are run for nothing.
    private func tryFolder(_ results: String, of batch: BatchID, _ writable: inout Set<BatchID>, link: LinkInbox) {
        guard configuration.sealing.writesShards else { return }
        do {
            try ResultsFolder(results).tryWriting()
            writable.insert(batch)
        } catch {
            link.post(.unwritable(batch, unwritten: [], reason: reason(batch, error)))
        }
    }

    /// Writes the rows and reports them; a second attempt starts anew from the rows in memory.
    private func seal(_ pending: PendingShard, _ writable: inout Set<BatchID>, link: LinkInbox) {
        guard !pending.jobs.isEmpty else { return }
        if let reason = pending.misplacement { return link.post(.unfit(pending.jobs.map(\.lease), reason)) }
        var pending = pending
        do {
            let sealed: SealedShard
            do {
                sealed = try pending.seal()
            } catch {
                progress.advance()
                sealed = try pending.seal()
            }
            link.post(.sealed(pending.report(sealed), replacing: nil))
        } catch {
            writable.remove(pending.batch)
            link.post(
                .unwritable(pending.batch, unwritten: pending.jobs.map(\.lease), reason: reason(pending.batch, error)))
        }
    }

    /// Writes a shard of the rows that still count, and reports it in place of the one that holds all of them.
    private func rewrite(_ report: WireShardReport, keeping jobs: Set<UInt64>, link: LinkInbox) {
        do {
            link.post(.sealed(try report.rewritten(keeping: jobs), replacing: report))
        } catch {
            let leases = report.rows.map(\.lease.lease).filter { jobs.contains($0.job.rawValue) }
            link.post(.unfit(leases, "rows of shard \(report.shard) cannot be written again: \(error)"))
        }
    }

    private func reason(_ batch: BatchID, _ error: ResultFileError) -> String {
        "results of batch \(batch) cannot be written on worker \(configuration.name): \(error)"
    }
}
