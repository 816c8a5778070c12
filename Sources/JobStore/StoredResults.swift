public import Foundation
internal import GRDB
public import JobModel

/// What a job store says about the results of one batch: which row of which shard is each job's result.
public struct StoredResults: Sendable {
    /// One item of the batch.
    public struct Job: Sendable, Hashable {
        /// The user's id.
        public var item: String
        /// Where its job is.
        public var state: JobState
        /// The attempt that its row is from; without a row the last.
        public var epoch: UInt64
        /// The shard that holds its row, relative to the results folder; nil without a row.
        public var shard: String?
        /// Which row of the shard.
        public var row: Int?
    }

    /// The batch.
    public var batch: BatchID
    /// Where it is in its life.
    public var state: BatchState
    /// Its items in the order of the manifest.
    public var jobs: [Job]
    /// The token by which its results folder is known; nil for a batch that has none.
    public var token: String?
    /// The SHA-256 of each reported shard, by its path.
    public var shards: [String: [UInt8]]

    /// Reads a store that a coordinator may be using.
    ///
    /// The batch is the one whose results folder is `folder`, else the one that the shards name.
    public init(store: URL, folder: String, named batch: String?) throws(JobStoreError) {
        guard FileManager.default.fileExists(atPath: store.path) else {
            throw JobStoreError(.cannotOpen, "There is no job store \(store.path). Check the path.")
        }
        self = try JobStoreError.wrapping(store.path) {
            func read(_ path: String) throws -> StoredResults {
                var configuration = Configuration()
                configuration.readonly = true
                configuration.busyMode = .timeout(5)
                return try DatabaseQueue(path: path, configuration: configuration).read { database in
                    try StoredResults(database, store: store.path, folder: folder, named: batch)
                }
            }
            do {
                return try read(store.path)
            } catch let error as DatabaseError
                where Self.unwritable.contains(error.resultCode)
                && !FileManager.default.fileExists(atPath: store.path + "-wal")
            {
                // SQLite reads a store through a file beside it, which cannot be made in an archive or on a full disk. Nobody
                // has this one open, so that a copy holds the same.
                let copy = FileManager.default.temporaryDirectory.appendingPathComponent(
                    "winnow-\(UUID().uuidString).sqlite")
                defer {
                    for suffix in ["", "-wal", "-shm"] {
                        try? FileManager.default.removeItem(atPath: copy.path + suffix)
                    }
                }
                // Where no copy can be made either, what SQLite said is the reason.
                guard (try? FileManager.default.copyItem(at: store, to: copy)) != nil else { throw error }
                return try read(copy.path)
            }
        }
    }

    /// SQLite's error codes if it cannot write beside a store.
    private static let unwritable: [ResultCode] = [
        .SQLITE_CANTOPEN, .SQLITE_READONLY, .SQLITE_IOERR, .SQLITE_FULL, .SQLITE_PERM,
    ]

    private init(_ database: Database, store: String, folder: String, named name: String?) throws {
        let wanted = URL(fileURLWithPath: folder).resolvingSymlinksInPath().path
        let batches = try Row.fetchAll(
            database,
            sql: "SELECT id, name, results, description, state FROM batch WHERE state <> \(JobStore.forgotten)")
        let byFolder = batches.filter {
            URL(fileURLWithPath: $0["results"] as String).resolvingSymlinksInPath().path == wanted
        }
        let byName = batches.filter { $0["name"] as String == name }
        guard let found = byFolder.count == 1 ? byFolder.first : byName.first else {
            throw JobStoreError(
                .noSuchBatch,
                "The job store \(store) has no batch with the results folder \(folder). Name the store that ran it. If it was "
                    + "forgotten, leave --store out: the last attempt at each job counts then.")
        }
        let id: Int64 = found["id"]
        let number: Int = found["state"]
        guard let state = BatchState(rawValue: number) else {
            throw JobStoreError(.failed, "A batch of the job store has the unknown state \(number).")
        }
        batch = BatchID(found["name"] as String)
        self.state = state
        token = (try? BatchDescription(json: found["description"]))?.resultsToken
        let shards = try Row.fetchAll(
            database, sql: "SELECT id, path, sha256 FROM shard WHERE batch = ?", arguments: [id])
        let paths = Dictionary(uniqueKeysWithValues: shards.map { ($0["id"] as Int64, $0["path"] as String) })
        self.shards = Dictionary(
            uniqueKeysWithValues: shards.map { ($0["path"] as String, Array($0["sha256"] as Data)) })
        jobs = try Row.fetchAll(
            database,
            sql: """
                SELECT item_id, state, COALESCE(won, epoch) AS epoch, shard, row
                FROM item JOIN job ON job.id = item.job WHERE item.batch = ? ORDER BY ordinal
                """,
            arguments: [id]
        ).map { row in
            guard let state = JobState(rawValue: row["state"]) else {
                throw JobStoreError(.failed, "A job of the job store has an unknown state.")
            }
            let shard: Int64? = row["shard"]
            return Job(
                item: row["item_id"], state: state, epoch: row["epoch"], shard: shard.flatMap { paths[$0] },
                row: row["row"])
        }
    }
}

extension JobStore {
    /// Lets jobs that had ended run again because their rows are gone, and their batch with them.
    ///
    /// - Returns: How many jobs wait again.
    public mutating func requeueResults(of items: [ItemID], in batch: BatchID) throws(JobStoreError) -> Int {
        let count = try change { database in
            let id = try BatchRow.get(batch, database).number
            let find = try database.cachedStatement(sql: "SELECT job FROM item WHERE batch = ? AND item_id = ?")
            var count = 0
            for item in items {
                guard let job = try Int64.fetchOne(find, arguments: [id, item.rawValue]) else { continue }
                count += try Self.revive("job.id = ? AND state IN (2, 3)", [job], database).count
            }
            guard count > 0 else { return 0 }
            try database.cachedStatement(
                // A cancelled batch, too: its jobs that wait again would be forgotten.
                sql: "UPDATE batch SET state = 1, finished_at = NULL, reason = NULL WHERE id = ? AND state IN (2, 3)"
            )
            .execute(arguments: [id])
            return count
        }
        try commit()
        return count
    }
}
