public import Foundation
internal import GRDB
public import JobModel

extension JobStore {
    /// Applies transitions in their order, within the open group.
    ///
    /// Each one is guarded by what is stored: an attempt starts only at the next epoch, and a row counts only if its epoch
    /// is the current one and the job has not ended (the first commit wins).
    ///
    /// - Returns: the transitions that did not fit, which have changed nothing.
    @discardableResult
    public mutating func apply(_ transitions: [JobTransition], at now: Date) throws(JobStoreError) -> [JobTransition] {
        guard !transitions.isEmpty else { return [] }
        return try change { database in
            try transitions.filter { try !Self.apply($0, now.timeIntervalSince1970, database) }
        }
    }

    /// Notes a sealed shard; one that is already known stays as it is.
    public mutating func add(_ shard: ShardRecord) throws(JobStoreError) {
        try change { database in
            guard let batch = try Self.row(of: shard.batch, database) else {
                throw JobStoreError(.noSuchBatch, "There is no batch '\(shard.batch)' for shard \(shard.path).")
            }
            try database.cachedStatement(
                sql: "INSERT OR IGNORE INTO shard (batch, path, sha256, bytes, worker) VALUES (?, ?, ?, ?, ?)"
            ).execute(
                arguments: [
                    batch, shard.path, Data(shard.sha256), Int64(clamping: shard.bytes), shard.worker.rawValue,
                ])
        }
    }

    /// Whether the transition fitted and was made.
    private static func apply(_ transition: JobTransition, _ now: Double, _ database: Database) throws -> Bool {
        func execute(_ sql: String, _ arguments: StatementArguments) throws -> Bool {
            try database.cachedStatement(sql: sql).execute(arguments: arguments)
            return database.changesCount > 0
        }
        func number(_ lease: Lease) -> (job: Int64, epoch: Int64) {
            (Int64(bitPattern: lease.job.rawValue), Int64(bitPattern: lease.epoch.rawValue))
        }
        switch transition {
        case .assigned(let lease, let worker):
            let (job, epoch) = number(lease)
            return try execute(
                "UPDATE job SET state = 1, epoch = ?, worker = ? WHERE id = ? AND epoch = ? - 1 AND state = 0",
                [epoch, worker.rawValue, job, epoch])
        case .adopted(let lease, let worker):
            let (job, epoch) = number(lease)
            return try execute(
                "UPDATE job SET state = 1, worker = ? WHERE id = ? AND epoch = ? AND state IN (0, 1)",
                [worker.rawValue, job, epoch])
        case .requeued(let lease, let losses):
            let (job, epoch) = number(lease)
            return try execute(
                "UPDATE job SET state = 0, crash_count = ? WHERE id = ? AND epoch = ? AND state = 1",
                [losses, job, epoch])
        case .quarantined(let lease, let losses, let reason):
            let (job, epoch) = number(lease)
            return try execute(
                "UPDATE job SET state = 3, crash_count = ?, error = ? WHERE id = ? AND epoch = ? AND state IN (0, 1)",
                [losses, reason, job, epoch])
        case .committed(let commit):
            let (job, epoch) = number(commit.lease)
            let state: JobState = commit.error == nil ? .succeeded : .failed
            return try execute(
                """
                UPDATE job SET state = ?1, row = ?2, error = ?3, answer = ?4, visual_tokens = ?5, seconds = ?6,
                    shard = (SELECT id FROM shard WHERE shard.batch = job.batch AND path = ?7)
                WHERE id = ?8 AND epoch = ?9 AND state IN (0, 1)
                    AND EXISTS (SELECT 1 FROM shard WHERE shard.batch = job.batch AND path = ?7)
                """,
                [
                    state.rawValue, commit.row, commit.error, commit.summary.answer, commit.summary.visualTokens,
                    commit.summary.seconds, commit.shard, job, epoch,
                ])
        case .batchCancelled(let id, let reason):
            guard let batch = try row(of: id, database) else { return false }
            _ = try execute("UPDATE job SET state = 4 WHERE batch = ? AND state IN (0, 1)", [batch])
            return try execute(
                "UPDATE batch SET state = 3, finished_at = ?, reason = ? WHERE id = ? AND state IN (0, 1)",
                [now, reason, batch])
        case .batchFinished(let id):
            return try execute(
                "UPDATE batch SET state = 2, finished_at = ? WHERE name = ? AND state = 1", [now, id.rawValue])
        }
    }
}
