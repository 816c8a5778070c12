internal import GRDB
public import JobModel

extension JobStore {
    /// Jobs of a batch that have not ended, in order, a page at a time: those after a job.
    public borrowing func unfinishedJobs(
        of id: BatchID, after: JobID, limit: Int
    ) throws(JobStoreError) -> [UnfinishedJob] {
        try access { database in
            guard let batch = try Self.row(of: id, database) else { return [] }
            let statement = try database.cachedStatement(
                sql: """
                    SELECT id, image, epoch, crash_count, state FROM job
                    WHERE id > ? AND batch = ? AND state IN (0, 1) ORDER BY id LIMIT ?
                    """)
            return try Row.fetchAll(statement, arguments: [Int64(after.rawValue), batch, limit]).map { row in
                UnfinishedJob(
                    id: JobID(row["id"] as UInt64), image: row["image"], epoch: Epoch(row["epoch"] as UInt64),
                    losses: row["crash_count"], wasRunning: row["state"] == JobState.running.rawValue)
            }
        }
    }

    /// What an assignment of a job carries.
    public borrowing func payload(of job: JobID) throws(JobStoreError) -> JobPayload? {
        try access { database in
            let statement = try database.cachedStatement(sql: "SELECT item, image FROM job WHERE id = ?")
            return try Row.fetchOne(statement, arguments: [Int64(bitPattern: job.rawValue)]).map {
                JobPayload(item: $0["item"], image: $0["image"])
            }
        }
    }

    /// Whether this row of this shard is the job's result.
    public borrowing func isResult(
        of job: JobID, shard: String, row: UInt32, batch: BatchID
    ) throws(JobStoreError) -> Bool {
        try access { database in
            let statement = try database.cachedStatement(
                sql: """
                    SELECT 1 FROM job JOIN shard ON shard.id = job.shard JOIN batch ON batch.id = job.batch
                    WHERE job.id = ? AND shard.path = ? AND job.row = ? AND batch.name = ?
                    """)
            let arguments: StatementArguments = [Int64(bitPattern: job.rawValue), shard, row, batch.rawValue]
            return try Int.fetchOne(statement, arguments: arguments) != nil
        }
    }

    /// Items of a batch in the order of the manifest, a page at a time: those after an ordinal.
    public borrowing func items(
        of id: BatchID, after ordinal: UInt64, limit: Int
    ) throws(JobStoreError) -> [ItemRecord] {
        try access { database in
            guard let batch = try Self.row(of: id, database) else {
                throw JobStoreError(.noSuchBatch, "There is no batch '\(id)'. `winnow status` lists them.")
            }
            let statement = try database.cachedStatement(
                sql: """
                    SELECT job.*, shard.path AS shard_path FROM job LEFT JOIN shard ON shard.id = job.shard
                    WHERE job.batch = ? AND job.ordinal > ? ORDER BY job.ordinal LIMIT ?
                    """)
            let arguments: StatementArguments = [batch, Int64(clamping: ordinal), limit]
            return try Row.fetchAll(statement, arguments: arguments).map(Self.record)
        }
    }

    private static func record(_ row: Row) throws -> ItemRecord {
        let number: Int = row["state"]
        guard let state = JobState(rawValue: number) else {
            throw JobStoreError(.failed, "A job of the job store has the unknown state \(number).")
        }
        let answer: String? = row["answer"]
        return ItemRecord(
            ordinal: row["ordinal"], id: ItemID(row["item_id"] as String), state: state, error: row["error"],
            summary: answer.map {
                JobSummary(answer: $0, visualTokens: row["visual_tokens"] ?? 0, seconds: row["seconds"] ?? 0)
            },
            shard: row["shard_path"], row: row["row"], attempts: row["epoch"])
    }
}
