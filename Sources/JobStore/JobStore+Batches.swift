public import Foundation
internal import GRDB
public import JobModel

extension JobStore {
    /// Whether a batch of this name exists.
    public borrowing func contains(_ id: BatchID) throws(JobStoreError) -> Bool {
        try access { try Self.row(of: id, $0) != nil }
    }

    /// Opens a batch, to which items can be added until it is closed.
    public mutating func openBatch(
        _ id: BatchID, description: String, results: String, at now: Date
    ) throws(JobStoreError) {
        try change {
            try $0.cachedStatement(
                sql: "INSERT INTO batch (name, description, results, state, opened_at) VALUES (?, ?, ?, ?, ?)"
            ).execute(
                arguments: [id.rawValue, description, results, BatchState.open.rawValue, now.timeIntervalSince1970])
        }
    }

    /// Adds items to an open batch, all of them or none; returns their jobs.
    public mutating func add(_ items: [NewItem], to id: BatchID) throws(JobStoreError) -> [JobID] {
        try change { database in
            let find = try database.cachedStatement(sql: "SELECT id, total, state FROM batch WHERE name = ?")
            guard let batch = try Row.fetchOne(find, arguments: [id.rawValue]) else {
                throw JobStoreError(.noSuchBatch, "There is no batch '\(id)'. Open it first.")
            }
            guard batch["state"] == BatchState.open.rawValue else {
                throw JobStoreError(.noSuchBatch, "Batch '\(id)' is closed and takes no more items.")
            }
            let row: Int64 = batch["id"]
            var total: Int64 = batch["total"]
            var jobs: [JobID] = []
            try database.inSavepoint {
                let insert = try database.cachedStatement(
                    sql: "INSERT INTO job (batch, ordinal, item_id, item, image) VALUES (?, ?, ?, ?, ?)")
                for item in items {
                    total += 1
                    do {
                        try insert.execute(arguments: [row, total, item.id.rawValue, item.json, item.image])
                    } catch let error as DatabaseError where error.extendedResultCode == .SQLITE_CONSTRAINT_UNIQUE {
                        throw JobStoreError(
                            .duplicateItem, "Id '\(item.id)' occurs twice in batch '\(id)'. Give each item its own id.")
                    }
                    jobs.append(JobID(UInt64(database.lastInsertedRowID)))
                }
                try database.cachedStatement(sql: "UPDATE batch SET total = ? WHERE id = ?")
                    .execute(arguments: [total, row])
                return .commit
            }
            return jobs
        }
    }

    /// Completes the submission of a batch.
    public mutating func closeBatch(_ id: BatchID, at now: Date) throws(JobStoreError) {
        try change {
            try $0.cachedStatement(sql: "UPDATE batch SET state = 1, closed_at = ? WHERE name = ? AND state = 0")
                .execute(arguments: [now.timeIntervalSince1970, id.rawValue])
        }
    }

    /// All batches in the order of their opening. Counts every job: for the start of a coordinator, not for every status.
    public borrowing func batches() throws(JobStoreError) -> [StoredBatch] {
        try access { database in
            var counts: [Int64: JobCounts] = [:]
            let groups = try Row.fetchCursor(
                database, sql: "SELECT batch, state, COUNT(*) AS jobs FROM job GROUP BY batch, state")
            while let group = try groups.next() {
                guard let state = JobState(rawValue: group["state"]) else { continue }
                counts[group["batch"], default: JobCounts()][state] = group["jobs"]
            }
            return try Row.fetchAll(database, sql: "SELECT * FROM batch ORDER BY id").map { row in
                let state: Int = row["state"]
                guard let state = BatchState(rawValue: state) else {
                    throw JobStoreError(.failed, "A batch of the job store has the unknown state \(state).")
                }
                return StoredBatch(
                    id: BatchID(row["name"] as String), description: row["description"], results: row["results"],
                    state: state, total: row["total"], openedAt: Date(timeIntervalSince1970: row["opened_at"]),
                    closedAt: (row["closed_at"] as Double?).map(Date.init(timeIntervalSince1970:)),
                    finishedAt: (row["finished_at"] as Double?).map(Date.init(timeIntervalSince1970:)),
                    counts: counts[row["id"]] ?? JobCounts())
            }
        }
    }

    /// The row number of a batch.
    static func row(of id: BatchID, _ database: Database) throws -> Int64? {
        try Int64.fetchOne(
            database.cachedStatement(sql: "SELECT id FROM batch WHERE name = ?"), arguments: [id.rawValue])
    }
}
