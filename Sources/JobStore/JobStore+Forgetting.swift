internal import Failpoints
internal import GRDB
public import JobModel

/// Batches that are taken out of the store, and names of workers that are needed no more.
///
/// A forgotten batch is gone at once and its name is free. Its rows go in pieces, and then the pages that they leave in the
/// file, so that whoever owns the store can do other things in between.
extension JobStore {
    /// The stored state of a batch that is forgotten and still has rows. No `BatchState` is equal to it, because nobody sees
    /// such a batch.
    static let forgotten = 4

    /// Numbers of jobs that one piece covers.
    private static let jobsOfAPiece: Int64 = 1_000
    /// Shards that one piece covers.
    private static let shardsOfAPiece = 500
    /// Pages that one piece takes out of the file: 4 MiB.
    private static let pagesOfAPiece = 1_024

    /// Takes a batch that has ended out of the store; refused for any other. ``tidyUp()`` then removes its rows.
    public mutating func forget(_ id: BatchID) throws(JobStoreError) {
        try change { database in
            let batch = try BatchRow.get(id, database)
            // With a blank it is the name of no other batch.
            let free = "forgotten \(batch.number)"
            try database.execute(
                sql: "UPDATE batch SET state = ?, name = ? WHERE id = ? AND state IN (2, 3)",
                arguments: [Self.forgotten, free, batch.number])
            guard database.changesCount > 0 else {
                throw JobStoreError(
                    .notEnded,
                    "Batch '\(id)' has not ended. Wait for its end ('winnow wait \(id)') or cancel it first ('winnow cancel "
                        + "\(id)').")
            }
            // Numbers of jobs are never used again: a worker may still come back with one of this batch.
            try database.execute(
                sql: "INSERT OR REPLACE INTO meta (key, value) VALUES ('last_job', ?)",
                arguments: [Self.lastJob(database)])
        }
        workersForgotten()
    }

    /// The greatest number that a job has or had.
    static func lastJob(_ database: Database) throws -> Int64 {
        let sql = """
            SELECT MAX(COALESCE((SELECT MAX(job) FROM item), 0),
                COALESCE((SELECT CAST(value AS INTEGER) FROM meta WHERE key = 'last_job'), 0))
            """
        return try Int64.fetchOne(database.cachedStatement(sql: sql)) ?? 0
    }

    /// Removes a piece of what forgotten batches and workers left, durably; does nothing while a group of changes is open.
    ///
    /// - Returns: Whether more may be left.
    public mutating func tidyUp() throws(JobStoreError) -> Bool {
        guard !isGroupOpen else { return true }
        lastShard = nil
        var names = workerNames
        let isMore = try access { database in
            // SQLite would look for references to a removed shard or batch through all jobs, for each one anew.
            try database.execute(sql: "PRAGMA foreign_keys = OFF")
            defer { try? database.execute(sql: "PRAGMA foreign_keys = ON") }
            var isMore = false
            try database.inTransaction(.immediate) {
                isMore = try Self.removePiece(database) || names.removePiece(database) || Self.shrink(database)
                return .commit
            }
            Failpoint.reach("store.tidied")
            // The file becomes shorter when what was written beside it is brought into it.
            if !isMore { _ = try Row.fetchOne(database, sql: "PRAGMA wal_checkpoint(PASSIVE)") }
            return isMore
        }
        workerNames = names
        return isMore
    }

    /// Has ``tidyUp()`` look for names of workers that are needed no more.
    public mutating func workersForgotten() { workerNames.isSearchDue = true }

    /// Removes some rows of a forgotten batch, and the batch after its last row; false if there is none.
    private static func removePiece(_ database: Database) throws -> Bool {
        let find = "SELECT id, total, first_job, last_job FROM batch WHERE state = ? ORDER BY id LIMIT 1"
        guard let batch = try Row.fetchOne(database, sql: find, arguments: [forgotten]).map(BatchRow.init) else {
            return false
        }
        if batch.lastJob > 0, batch.firstJob <= batch.lastJob {
            let end = min(batch.firstJob + jobsOfAPiece - 1, batch.lastJob)
            let piece: StatementArguments = [batch.firstJob, end, batch.number]
            let mine = "SELECT id FROM job WHERE id BETWEEN ? AND ? AND batch = ?"
            for sql in [
                "DELETE FROM attempt WHERE job IN (\(mine))", "DELETE FROM outcome WHERE job IN (\(mine))",
                "DELETE FROM item WHERE job BETWEEN ? AND ? AND batch = ?",
                "DELETE FROM job WHERE id BETWEEN ? AND ? AND batch = ?",
            ] {
                try database.cachedStatement(sql: sql).execute(arguments: piece)
            }
            try database.execute(
                sql: "UPDATE batch SET first_job = ? WHERE id = ?", arguments: [end + 1, batch.number])
            return true
        }
        try database.execute(
            sql: "DELETE FROM shard WHERE id IN (SELECT id FROM shard WHERE batch = ? LIMIT ?)",
            arguments: [batch.number, shardsOfAPiece])
        if database.changesCount == 0 {
            try database.execute(sql: "DELETE FROM batch WHERE id = ?", arguments: [batch.number])
        }
        return true
    }

    /// Takes some free pages out of the file; false if there are none left, or the file has no map for moving pages.
    private static func shrink(_ database: Database) throws -> Bool {
        func free() throws -> Int { try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0 }
        guard try free() > 0, try isShrinkable(database) else { return false }
        try database.execute(sql: "PRAGMA incremental_vacuum(\(pagesOfAPiece))")
        return try free() > 0
    }

    private static func isShrinkable(_ database: Database) throws -> Bool {
        try Int.fetchOne(database, sql: "PRAGMA auto_vacuum") == 2
    }

    /// Writes a store anew that was made without the map for moving pages, if most of it is free; the new file has the map.
    ///
    /// It takes as long as reading and writing what the store holds. If the disk is too full for a copy, the store stays as
    /// it is.
    static func compact(_ database: Database) throws {
        let pages = try Int.fetchOne(database, sql: "PRAGMA page_count") ?? 0
        let free = try Int.fetchOne(database, sql: "PRAGMA freelist_count") ?? 0
        guard free > pagesOfAPiece / 4, free > pages / 2, try !isShrinkable(database) else { return }
        do {
            try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
            return
        }
    }
}
