public import Foundation
internal import GRDB
public import JobModel

extension JobStore {
    /// Applies transitions in their order, within the open group.
    ///
    /// Each one is guarded by what is stored: an attempt starts only at the next epoch, and a row counts only if its attempt
    /// does and the job has not ended (the first commit wins).
    ///
    /// - Returns: the transitions that did not fit, which have changed nothing.
    @discardableResult
    public mutating func apply(_ transitions: [JobTransition], at now: Date) throws(JobStoreError) -> [JobTransition] {
        guard !transitions.isEmpty else { return [] }
        let change = TransitionWriter(hot: hot, now: now.timeIntervalSince1970)
        var names = TransitionWriter.Names(workers: workerNames, shard: lastShard)
        // Only what a successful call found is kept: after a failure it may not be in the store.
        let refused = try self.change { database in
            try transitions.filter { try !change.apply($0, &names, database) }
        }
        workerNames = names.workers
        lastShard = names.shard
        return refused
    }

    /// Notes a sealed shard; one that is already known stays as it is.
    public mutating func add(_ shard: ShardRecord) throws(JobStoreError) {
        lastShard = nil
        try change { database in
            guard let batch = try BatchRow.find(shard.batch, database) else {
                throw JobStoreError(.noSuchBatch, "There is no batch '\(shard.batch)' for shard \(shard.path).")
            }
            try database.cachedStatement(
                sql: "INSERT OR IGNORE INTO shard (batch, path, sha256, bytes, worker) VALUES (?, ?, ?, ?, ?)"
            ).execute(
                arguments: [
                    batch.number, shard.path, Data(shard.sha256), Int64(clamping: shard.bytes), shard.worker.rawValue,
                ])
        }
    }
}

/// Writes transitions with the prepared statements.
private struct TransitionWriter {
    /// Numbers that stand for names in the tables.
    struct Names {
        var workers: WorkerNames
        var shard: (path: String, number: Int64)?
    }

    let hot: HotStatements
    let now: Double

    /// Whether the transition fitted and was made.
    func apply(_ transition: JobTransition, _ names: inout Names, _ database: Database) throws -> Bool {
        switch transition {
        case .assigned(let lease, let worker):
            return try run(hot.assign, lease, worker: number(of: worker, &names))
        case .seconded(let lease, let first, let worker):
            hot.second.bind(4, Int64(bitPattern: first.rawValue))
            return try run(hot.second, lease, worker: number(of: worker, &names))
        case .adopted(let lease, let worker):
            return try run(hot.adopt, lease, worker: number(of: worker, &names))
        case .requeued(let lease, let toll, let end): return try run(hot.requeue, lease, toll, end, database)
        case .withdrawn(let lease, let toll, let end): return try run(hot.withdraw, lease, toll, end, database)
        case .quarantined(let lease, let toll, let end):
            return try run(hot.endWithoutRow, lease, toll, end, database) && outcome(lease.job, error: end.reason)
        case .failed(let lease, let end):
            return try run(hot.endWithoutRow, lease, .failure, end, database) && outcome(lease.job, error: end.reason)
        case .committed(let commit): return try apply(commit, &names)
        case .batchCancelled(let id, let reason, _):
            guard let batch = try BatchRow.find(id, database) else { return false }
            try database.cachedStatement(
                sql: """
                    UPDATE job SET state = 4, rival = NULL, worker = NULL
                    WHERE batch = ? AND id BETWEEN ? AND ? AND state IN (0, 1)
                    """
            ).execute(arguments: [batch.number, batch.firstJob, batch.lastJob])
            return try execute(
                "UPDATE batch SET state = 3, finished_at = ?, reason = ?, paused = 0 WHERE id = ? AND state IN (0, 1)",
                [now, reason, batch.number], database)
        case .batchFinished(let id):
            return try execute(
                "UPDATE batch SET state = 2, finished_at = ? WHERE name = ? AND state = 1", [now, id.rawValue], database
            )
        case .batchReopened(let id):
            return try execute(
                """
                UPDATE batch SET state = 1, finished_at = NULL, reason = NULL, closed_at = COALESCE(closed_at, ?)
                WHERE name = ? AND state IN (2, 3)
                """, [now, id.rawValue], database)
        case .batchPaused(let id, let isPaused):
            return try execute("UPDATE batch SET paused = ? WHERE name = ?", [isPaused, id.rawValue], database)
        }
    }

    private func apply(_ commit: RowCommit, _ names: inout Names) throws -> Bool {
        let job = Int64(bitPattern: commit.lease.job.rawValue)
        let shard: Int64
        if let known = names.shard, known.path == commit.shard {
            shard = known.number
        } else {
            hot.findShard.bind(1, job)
            hot.findShard.bind(2, commit.shard)
            guard let found = try hot.findShard.first({ $0.integer(0) }) else { return false }
            names.shard = (commit.shard, found)
            shard = found
        }
        let state: JobState = commit.error == nil ? .succeeded : .failed
        hot.commit.bind(1, job)
        hot.commit.bind(2, Int64(bitPattern: commit.lease.epoch.rawValue))
        hot.commit.bind(3, Int64(state.rawValue))
        hot.commit.bind(4, shard)
        hot.commit.bind(5, Int64(commit.row))
        return try hot.commit.run() && outcome(commit.lease.job, error: commit.error, commit.summary)
    }

    private func outcome(_ job: JobID, error: String?, _ summary: JobSummary? = nil) throws -> Bool {
        hot.insertOutcome.bind(1, Int64(bitPattern: job.rawValue))
        hot.insertOutcome.bind(2, error)
        hot.insertOutcome.bind(3, summary?.answer)
        hot.insertOutcome.bind(4, summary.map { Int64($0.visualTokens) })
        if let summary { hot.insertOutcome.bind(5, summary.seconds) } else { hot.insertOutcome.bind(5, nil as Int64?) }
        return try hot.insertOutcome.run()
    }

    private func run(_ statement: HotStatement, _ lease: Lease, worker: Int64) throws -> Bool {
        statement.bind(1, Int64(bitPattern: lease.job.rawValue))
        statement.bind(2, Int64(bitPattern: lease.epoch.rawValue))
        statement.bind(3, worker)
        return try statement.run()
    }

    private func run(
        _ statement: HotStatement, _ lease: Lease, _ toll: JobToll, _ end: AttemptEnd?, _ database: Database
    ) throws -> Bool {
        statement.bind(1, Int64(bitPattern: lease.job.rawValue))
        statement.bind(2, Int64(bitPattern: lease.epoch.rawValue))
        statement.bind(3, toll == .loss ? 1 : 0 as Int64)
        statement.bind(4, toll == .failure ? 1 : 0 as Int64)
        guard try statement.run() else { return false }
        guard let end else { return true }
        return try execute(
            "INSERT INTO attempt (job, epoch, worker, class, reason, ended_at) VALUES (?, ?, ?, ?, ?, ?)",
            [
                Int64(bitPattern: lease.job.rawValue), Int64(bitPattern: lease.epoch.rawValue), end.worker?.rawValue,
                end.errorClass?.description, end.reason, now,
            ], database)
    }

    private func execute(_ sql: String, _ arguments: StatementArguments, _ database: Database) throws -> Bool {
        try database.cachedStatement(sql: sql).execute(arguments: arguments)
        return database.changesCount > 0
    }

    /// The number that stands for a worker in the tables.
    private func number(of worker: WorkerName, _ names: inout Names) throws -> Int64 {
        let number = try names.workers.numbers[worker] ?? find(worker) ?? insert(worker)
        names.workers.use(number, of: worker)
        return number
    }

    private func find(_ worker: WorkerName) throws -> Int64? {
        hot.findWorker.bind(1, worker.rawValue)
        return try hot.findWorker.first { $0.integer(0) }
    }

    private func insert(_ worker: WorkerName) throws -> Int64 {
        hot.insertWorker.bind(1, worker.rawValue)
        return try hot.insertWorker.insert() ?? 0
    }
}
