internal import GRDB
public import JobModel

extension JobStore {
    /// Adds items to a batch, all of them or none. An item whose id is known already stays as it is, and waits again where
    /// it had been cancelled: so a submission that broke off is simply sent once more.
    ///
    /// - Parameter replacing: what to do where the id is known and the item is another one: true replaces it as long as it
    ///   waits, false refuses the whole piece.
    public mutating func add(
        _ items: [NewItem], to id: BatchID, replacing: Bool = false
    ) throws(JobStoreError) -> AddedItems {
        let hot = hot
        return try change { database in
            var batch = try BatchRow.get(id, database)
            var outcome = AddedItems()
            var job = try Self.lastJob(database)
            try database.inSavepoint {
                for item in items {
                    hot.insertItem.bind(1, batch.number)
                    hot.insertItem.bind(2, batch.total + 1)
                    hot.insertItem.bind(3, item.id.rawValue)
                    hot.insertItem.bind(4, item.json)
                    hot.insertItem.bind(5, job + 1)
                    if try hot.insertItem.run() {
                        job += 1
                        hot.insertJob.bind(1, job)
                        hot.insertJob.bind(2, batch.number)
                        hot.insertJob.bind(3, Int64(bitPattern: item.picture.rawValue))
                        _ = try hot.insertJob.run()
                        batch.total += 1
                        if batch.firstJob == 0 { batch.firstJob = job }
                        batch.lastJob = max(batch.lastJob, job)
                        outcome.added.append(AddedItems.Job(id: JobID(UInt64(job)), picture: item.picture))
                    } else {
                        try Self.meet(item, in: batch, named: id, replacing, hot, database, &outcome)
                    }
                }
                try database.cachedStatement(
                    sql: "UPDATE batch SET total = ?, first_job = ?, last_job = ? WHERE id = ?"
                ).execute(arguments: [batch.total, batch.firstJob, batch.lastJob, batch.number])
                return .commit
            }
            return outcome
        }
    }

    /// An item whose id is known.
    private static func meet(
        _ item: NewItem, in batch: BatchRow, named id: BatchID, _ replacing: Bool, _ hot: HotStatements,
        _ database: Database, _ outcome: inout AddedItems
    ) throws {
        hot.findItem.bind(1, batch.number)
        hot.findItem.bind(2, item.id.rawValue)
        let found = try hot.findItem.first { ($0.integer(0), Int($0.integer(1)), $0.text(2)) }
        guard let (job, state, body) = found else { return }
        let (known, wanted) = (try? Item(json: body), try? Item(json: item.json))
        if body != item.json, known != wanted {
            guard replacing else {
                let differences = known.flatMap { known in wanted?.differences(from: known) } ?? []
                throw JobStoreError(
                    .changedItem,
                    "Item '\(item.id)' differs from the one that batch '\(id)' has under this id"
                        + (differences.isEmpty ? "" : " (\(differences.joined(separator: "; ")))")
                        + ". Use --new for a batch of its own, --force to replace what has not run yet, or give the item an id of "
                        + "its own.")
            }
            if state == JobState.waiting.rawValue || state == JobState.cancelled.rawValue {
                try database.execute(
                    sql: "UPDATE item SET body = ? WHERE job = ?", arguments: [item.json, job])
                try database.execute(
                    sql: "UPDATE job SET picture = ? WHERE id = ?",
                    arguments: [Int64(bitPattern: item.picture.rawValue), job])
                if state == JobState.waiting.rawValue {
                    // What an earlier attempt at the former item may still report is no result of this one.
                    let epoch = try UInt64.fetchOne(
                        database, sql: "UPDATE job SET epoch = epoch + 1 WHERE id = ? RETURNING epoch", arguments: [job]
                    )
                    outcome.replaced.append(Lease(job: JobID(UInt64(job)), epoch: Epoch(epoch ?? 1)))
                }
            }
        }
        outcome.known += 1
        guard state == JobState.cancelled.rawValue else { return }
        outcome.revived += try revive("job.id = ?", [job], database)
    }

    /// Lets jobs that ended without success run again: those in one of the states, of these ids where any are given. What
    /// they cost so far is forgiven, not forgotten.
    public mutating func retry(
        _ id: BatchID, states: Set<JobState>, items: [ItemID] = []
    ) throws(JobStoreError) -> [RevivedJob] {
        let numbers = states.intersection([.failed, .cancelled]).map(\.rawValue)
        guard !numbers.isEmpty else { return [] }
        return try change { database in
            let batch = try BatchRow.get(id, database)
            let list = numbers.map(String.init).joined(separator: ", ")
            guard !items.isEmpty else {
                return try Self.revive(
                    "job.batch = ? AND job.id BETWEEN ? AND ? AND state IN (\(list))",
                    [batch.number, batch.firstJob, batch.lastJob], database)
            }
            // All of the items or none: an unknown id is found before any job changes.
            let jobs = try items.map { item in
                guard
                    let job = try Int64.fetchOne(
                        database, sql: "SELECT job FROM item WHERE batch = ? AND item_id = ?",
                        arguments: [batch.number, item.rawValue])
                else {
                    throw JobStoreError(
                        .noSuchBatch, "Batch '\(id)' has no item '\(item)'. `winnow jobs \(id)` lists them.")
                }
                return job
            }
            return try jobs.flatMap { try Self.revive("job.id = ? AND state IN (\(list))", [$0], database) }
        }
    }

    /// Their epochs grow: what an earlier attempt may still report counts no more.
    static func revive(
        _ condition: String, _ arguments: StatementArguments, _ database: Database
    ) throws -> [RevivedJob] {
        let select = try database.cachedStatement(
            sql: "SELECT id, picture, epoch, state FROM job WHERE \(condition) ORDER BY id")
        let jobs = try Row.fetchAll(select, arguments: arguments).map { row in
            RevivedJob(
                id: JobID(row["id"] as UInt64),
                picture: PictureKey(rawValue: UInt64(bitPattern: row["picture"] as Int64)),
                epoch: Epoch((row["epoch"] as UInt64) + 1), wasFailed: row["state"] == JobState.failed.rawValue)
        }
        guard !jobs.isEmpty else { return [] }
        try database.cachedStatement(
            sql: """
                UPDATE job SET state = 0, epoch = epoch + 1, rival = NULL, shard = NULL, row = NULL, won = NULL,
                    crash_base = crash_count, fail_base = fail_count WHERE \(condition)
                """
        ).execute(arguments: arguments)
        return jobs
    }
}
