internal import Foundation
internal import JobModel
internal import JobVocabulary
internal import ResultFiles
internal import WireProtocol

/// Finished jobs of one batch that wait in memory; no file is open while the model runs.
struct PendingShard {
    let batch: BatchID
    private(set) var rows: ShardWriter
    /// The job of each row.
    private(set) var jobs: [FinishedJob] = []
    /// Bytes of the report of the rows so far, or a few more.
    private var reportBytes = 0
    private let folder: ResultsFolder
    private let token: String?
    private let writesFile: Bool

    /// Rows and bytes after which a shard is sealed whatever else was asked for: its report has to fit into one message.
    private static let reportLimit = (rows: 100_000, bytes: 8 << 20)

    /// - Parameter token: the token of the results folder, where the batch has one.
    init(
        _ batch: BatchID, folder: ResultsFolder, token: String?, _ header: ShardHeader, _ limits: ShardWriter.Limits,
        writesFile: Bool = true
    ) {
        self.batch = batch
        self.folder = folder
        self.token = token
        self.writesFile = writesFile
        rows = ShardWriter(folder: folder, header: header, limits: limits)
    }

    /// Adds a job's row; one that contradicts itself is recorded as a failure of the job.
    mutating func add(
        _ job: FinishedJob, of leased: LeasedJob, now: ContinuousClock.Instant
    ) throws(ResultFileError) {
        do {
            try rows.add(job.row, at: now)
            note(job)
        } catch {
            var row = ResultRow(
                id: job.row.id, images: job.row.pictures.image, prompt: job.row.prompt, method: job.row.method,
                attempt: leased.lease.epoch.rawValue)
            row.status = .failed
            row.finishReason = .error
            row.error = error.message
            row.finishedAt = job.row.finishedAt
            row.labels = job.row.labels
            row.expectedAnswers = job.row.expectedAnswers
            row.pictures = job.row.pictures
            try rows.add(row, at: now)
            note(
                FinishedJob(
                    lease: job.lease, row: row, header: job.header, summary: JobSummary(), error: error.message))
        }
    }

    private mutating func note(_ job: FinishedJob) {
        jobs.append(job)
        reportBytes +=
            128 + min(job.error?.utf8.count ?? 0, String.shortBytes)
            + min(job.summary.answer.utf8.count, String.shortBytes)
    }

    /// Whether it is time to seal.
    func isDue(at now: ContinuousClock.Instant) -> Bool {
        rows.isDue(at: now) || jobs.count >= Self.reportLimit.rows || reportBytes >= Self.reportLimit.bytes
    }

    /// Why the rows would not be found where they would be written; nil if they would.
    var misplacement: String? {
        guard writesFile, let token else { return nil }
        return ResultsToken.mismatch(token, in: folder.path)
    }

    /// Closes, syncs and names the shard, for the coordinator to take; where it throws, the rows are still here.
    mutating func seal() throws(ResultFileError) -> SealedShard {
        guard writesFile else { return rows.sealWithoutFile(as: .now()) }
        try folder.prepare()
        _ = folder.sweepStaleParts(now: Date())
        return try rows.seal(as: .now(), into: .pending)
    }

    /// The report about the sealed shard for the coordinator.
    func report(_ shard: SealedShard) -> WireShardReport {
        var report = WireShardReport()
        report.batch = batch.rawValue
        report.results = folder.path
        report.shard = shard.path
        report.sha256 = Data(shard.sha256)
        report.bytes = UInt64(clamping: shard.bytes)
        report.rows = jobs.enumerated().map { index, job in
            var row = WireRow()
            row.lease = WireLease(job.lease)
            row.row = UInt32(clamping: index)
            row.failed = job.error != nil
            // The row has all of it; a message of a thousand of them has its limit.
            row.error = (job.error ?? "").shortened()
            row.errorClass = WireErrorClass(job.errorClass)
            row.summary = WireSummary(job.summary)
            row.summary.answer = job.summary.answer.shortened()
            return row
        }
        return report
    }
}
