internal import Foundation
internal import GRDB
public import JobModel

extension JobStore {
    /// Jobs of a batch that have not ended, in order, a page at a time: those after a job.
    public borrowing func unfinishedJobs(
        of id: BatchID, after: JobID, limit: Int
    ) throws(JobStoreError) -> [UnfinishedJob] {
        let hot = hot
        return try access { database in
            guard let batch = try BatchRow.find(id, database), batch.lastJob > 0 else { return [] }
            let start = max(Int64(bitPattern: after.rawValue), batch.firstJob - 1)
            for (index, value) in [start, batch.number, batch.lastJob, Int64(limit)].enumerated() {
                hot.unfinished.bind(Int32(index + 1), value)
            }
            var jobs: [UnfinishedJob] = []
            try hot.unfinished.forEach { row in
                jobs.append(
                    UnfinishedJob(
                        id: JobID(UInt64(row.integer(0))),
                        picture: PictureKey(rawValue: UInt64(bitPattern: row.integer(1))),
                        epoch: Epoch(UInt64(row.integer(2))), losses: Int(row.integer(3)),
                        failures: Int(row.integer(4)),
                        wasRunning: row.integer(5) == Int64(JobState.running.rawValue),
                        worker: row.text(6).isEmpty ? nil : WorkerName(row.text(6)),
                        rival: row.integer(7) == 0 ? nil : Epoch(UInt64(row.integer(7)))))
            }
            return jobs
        }
    }

    /// How long the last attempts of a batch that succeeded took, in seconds.
    public borrowing func lastDurations(of id: BatchID, limit: Int) throws(JobStoreError) -> [Double] {
        try access { database in
            guard let batch = try BatchRow.find(id, database) else { return [] }
            // The order of the join is forced: jobs that have not run have no outcome, and there may be very many of them.
            return try Double.fetchAll(
                database,
                sql: """
                    SELECT seconds FROM outcome CROSS JOIN job ON job.id = outcome.job
                    WHERE outcome.job BETWEEN ? AND ? AND job.batch = ? AND state = 2 AND seconds IS NOT NULL
                    ORDER BY outcome.job DESC LIMIT ?
                    """, arguments: [batch.firstJob, batch.lastJob, batch.number, limit])
        }
    }

    /// The lines of the manifest that jobs were made of, in the order of the jobs; nil for one that does not exist.
    public borrowing func items(of jobs: [JobID]) throws(JobStoreError) -> [String?] {
        let item = hot.item
        return try access { _ in
            try jobs.map { job in
                item.bind(1, Int64(bitPattern: job.rawValue))
                return try item.first { $0.text(0) }
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

    /// Whether a shard of a batch is known, which it is from the commit of its rows on.
    public borrowing func holds(shard: String, of batch: BatchID) throws(JobStoreError) -> Bool {
        try access { database in
            let statement = try database.cachedStatement(
                sql: "SELECT 1 FROM shard JOIN batch ON batch.id = shard.batch WHERE shard.path = ? AND batch.name = ?")
            return try Int.fetchOne(statement, arguments: [shard, batch.rawValue]) != nil
        }
    }

    /// Items of a batch in the order of the manifest, a page at a time: those after an ordinal, in one of the states and
    /// with all of the labels where any are given.
    ///
    /// - Parameter last: the last ordinal to look at, so that a search for what is rare ends soon.
    public borrowing func items(
        of id: BatchID, after ordinal: UInt64, through last: UInt64 = .max, limit: Int, states: Set<JobState> = [],
        labels: [String: String] = [:]
    ) throws(JobStoreError) -> [ItemRecord] {
        try access { database in
            let batch = try BatchRow.get(id, database)
            var condition = "item.batch = ? AND item.ordinal > ? AND item.ordinal <= ?"
            var arguments: StatementArguments = [batch.number, Int64(clamping: ordinal), Int64(clamping: last)]
            if !states.isEmpty {
                condition += " AND job.state IN (\(states.map { "\($0.rawValue)" }.sorted().joined(separator: ", ")))"
            }
            for (key, value) in labels.sorted(by: { $0.key < $1.key }) {
                condition += """
                     AND json_valid(item.body)
                    AND EXISTS (SELECT 1 FROM json_each(item.body, '$.labels') WHERE key = ? AND value = ?)
                    """
                arguments += [key, value]
            }
            arguments += [limit]
            return try Self.records("\(condition) ORDER BY item.ordinal LIMIT ?", arguments, database)
        }
    }

    /// One item of a batch with its job; nil if the batch has none of this id.
    public borrowing func item(_ item: ItemID, of id: BatchID) throws(JobStoreError) -> ItemRecord? {
        try access { database in
            let batch = try BatchRow.get(id, database)
            return try Self.records("item.batch = ? AND item.item_id = ?", [batch.number, item.rawValue], database)
                .first
        }
    }

    /// The ids of the items of jobs, in their order; empty for a job that does not exist.
    public borrowing func itemIDs(of jobs: [JobID]) throws(JobStoreError) -> [ItemID] {
        try access { database in
            let find = try database.cachedStatement(sql: "SELECT item_id FROM item WHERE job = ?")
            return try jobs.map { job in
                ItemID(try String.fetchOne(find, arguments: [Int64(bitPattern: job.rawValue)]) ?? "")
            }
        }
    }

    /// Attempts at a job that ended without a result, oldest first, at most the last hundred.
    public borrowing func attempts(at job: JobID) throws(JobStoreError) -> [AttemptRecord] {
        try access { database in
            let find = try database.cachedStatement(
                sql: "SELECT * FROM attempt WHERE job = ? ORDER BY id DESC LIMIT 100")
            let rows = try Row.fetchAll(find, arguments: [Int64(bitPattern: job.rawValue)])
            return rows.reversed().map(AttemptRecord.init)
        }
    }

    private static func records(
        _ condition: String, _ arguments: StatementArguments, _ database: Database
    ) throws -> [ItemRecord] {
        let statement = try database.cachedStatement(
            sql: """
                SELECT item.ordinal, item.item_id, job.id AS job_id, job.state, job.epoch, job.crash_count,
                    job.fail_count, job.row, shard.path AS shard_path, error, answer, visual_tokens, seconds
                FROM item CROSS JOIN job ON job.id = item.job LEFT JOIN shard ON shard.id = job.shard
                    LEFT JOIN outcome ON outcome.job = item.job AND job.state IN (2, 3)
                WHERE \(condition)
                """)
        return try Row.fetchAll(statement, arguments: arguments).map { row in
            let number: Int = row["state"]
            guard let state = JobState(rawValue: number) else {
                throw JobStoreError(.failed, "A job of the job store has the unknown state \(number).")
            }
            let answer: String? = row["answer"]
            return ItemRecord(
                ordinal: row["ordinal"], id: ItemID(row["item_id"] as String), job: JobID(row["job_id"] as UInt64),
                state: state, error: row["error"],
                summary: answer.map {
                    JobSummary(answer: $0, visualTokens: row["visual_tokens"] ?? 0, seconds: row["seconds"] ?? 0)
                },
                shard: row["shard_path"], row: row["row"], attempts: row["epoch"], losses: row["crash_count"],
                failures: row["fail_count"])
        }
    }
}

extension AttemptRecord {
    init(_ row: Row) {
        self.init(
            epoch: Epoch(row["epoch"] as UInt64), worker: (row["worker"] as String?).map { WorkerName($0) },
            errorClass: row["class"], reason: row["reason"], endedAt: Date(timeIntervalSince1970: row["ended_at"]))
    }
}
