public import Foundation
internal import GRDB
public import JobModel

extension JobStore {
    /// Whether a batch of this name exists.
    public borrowing func contains(_ id: BatchID) throws(JobStoreError) -> Bool {
        try access { try BatchRow.find(id, $0) != nil }
    }

    /// Opens a batch, to which items can be added from now on.
    public mutating func openBatch(
        _ id: BatchID, description: String, results: String, modelFingerprint: String = "", at now: Date
    ) throws(JobStoreError) {
        try change {
            try $0.cachedStatement(
                sql: """
                    INSERT INTO batch (name, description, results, model_fingerprint, state, opened_at)
                    VALUES (?, ?, ?, ?, ?, ?)
                    """
            ).execute(
                arguments: [
                    id.rawValue, description, results, modelFingerprint, BatchState.open.rawValue,
                    now.timeIntervalSince1970,
                ])
        }
    }

    /// Changes what a batch asks for from now on.
    public mutating func describeBatch(
        _ id: BatchID, description: String, modelFingerprint: String
    ) throws(JobStoreError) {
        try change {
            try $0.cachedStatement(sql: "UPDATE batch SET description = ?, model_fingerprint = ? WHERE name = ?")
                .execute(arguments: [description, modelFingerprint, id.rawValue])
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
        try access(Self.batches)
    }

    static func batches(_ database: Database) throws -> [StoredBatch] {
        var counts: [Int64: JobCounts] = [:]
        let groups = try Row.fetchCursor(
            database, sql: "SELECT batch, state, COUNT(*) AS jobs FROM job GROUP BY batch, state")
        while let group = try groups.next() {
            guard let state = JobState(rawValue: group["state"]) else { continue }
            counts[group["batch"], default: JobCounts()][state] = group["jobs"]
        }
        return try Row.fetchAll(database, sql: "SELECT * FROM batch WHERE state <> \(forgotten) ORDER BY id").map {
            row in
            let state: Int = row["state"]
            guard let state = BatchState(rawValue: state) else {
                throw JobStoreError(.failed, "A batch of the job store has the unknown state \(state).")
            }
            return StoredBatch(
                id: BatchID(row["name"] as String), description: row["description"], results: row["results"],
                modelFingerprint: row["model_fingerprint"], state: state, isPaused: row["paused"],
                total: row["total"], openedAt: Date(timeIntervalSince1970: row["opened_at"]),
                closedAt: (row["closed_at"] as Double?).map(Date.init(timeIntervalSince1970:)),
                finishedAt: (row["finished_at"] as Double?).map(Date.init(timeIntervalSince1970:)),
                reason: row["reason"], counts: counts[row["id"]] ?? JobCounts())
        }
    }
}

/// What changes to the jobs of a batch need to know of it.
struct BatchRow {
    var number: Int64
    var total: Int64
    /// The range of its jobs' numbers, perhaps with other batches' jobs in between; 0 to 0 for no jobs.
    var firstJob, lastJob: Int64

    static func find(_ id: BatchID, _ database: Database) throws -> BatchRow? {
        let find = try database.cachedStatement(
            sql: "SELECT id, total, first_job, last_job FROM batch WHERE name = ?")
        return try Row.fetchOne(find, arguments: [id.rawValue]).map(BatchRow.init)
    }

    /// The columns of a row of the table.
    init(_ row: Row) {
        (number, total) = (row["id"], row["total"])
        (firstJob, lastJob) = (row["first_job"], row["last_job"])
    }

    static func get(_ id: BatchID, _ database: Database) throws -> BatchRow {
        guard let row = try find(id, database) else {
            throw JobStoreError(.noSuchBatch, "There is no batch '\(id)'. `winnow status` lists them.")
        }
        return row
    }
}
