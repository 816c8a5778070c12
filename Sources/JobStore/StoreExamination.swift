internal import FileLocks
public import Foundation
internal import GRDB
internal import JobModel

/// What an examination of a job store found; it changes nothing and may be made while a coordinator uses the store.
public struct StoreExamination: Sendable {
    /// The version of the tables.
    public private(set) var format = 0
    /// Whether this version of the program is the one for these tables.
    public private(set) var isCurrentFormat = false
    /// Whether a coordinator has the store open.
    public private(set) var isInUse = false
    /// The batches.
    public private(set) var batches: [StoredBatch] = []
    /// Every sealed shard that is known: its batch's results folder, its path in there, its size.
    public private(set) var shards: [(results: String, path: String, bytes: UInt64)] = []
    /// What is wrong; nothing in a sound store.
    public private(set) var problems: [String] = []

    /// Examines a store: SQLite's own checks of every page, then the rules that tables must keep among themselves.
    public init(of url: URL) throws(JobStoreError) {
        let queue = try Self.open(url)
        // As a coordinator locks it: beside the store itself, whatever link leads there.
        isInUse = FileLock.isHeld(url.resolvingSymlinksInPath().path + ".lock")
        let current = Schema.migrations.count
        do {
            try queue.read { database in
                problems += try String.fetchAll(database, sql: "PRAGMA integrity_check").filter { $0 != "ok" }
                format = try Int.fetchOne(database, sql: "PRAGMA user_version") ?? 0
                isCurrentFormat = format == current
                guard problems.isEmpty else { return }
                for row in try Row.fetchAll(database, sql: "PRAGMA foreign_key_check") {
                    problems.append("row \(row["rowid"] as Int64? ?? 0) of \(row["table"] as String) refers to nothing")
                }
                guard isCurrentFormat else { return }
                batches = try JobStore.batches(database)
                for batch in batches where batch.counts.total != batch.total {
                    problems.append("batch \(batch.id) has \(batch.total) items and \(batch.counts.total) jobs")
                }
                for (sql, meaning) in Self.rules {
                    let count = try Int.fetchOne(database, sql: sql) ?? 0
                    if count > 0 { problems.append("\(count) \(meaning)") }
                }
                let list = """
                    SELECT results, path, bytes FROM shard JOIN batch ON batch.id = shard.batch
                    WHERE batch.state <> \(JobStore.forgotten)
                    """
                shards = try Row.fetchAll(database, sql: list).map { ($0["results"], $0["path"], $0["bytes"]) }
            }
        } catch {
            problems.append("it cannot be read to its end: \(error)")
        }
    }

    /// Writes a copy of a store as of now, which opens like the store itself; a coordinator may be using it meanwhile.
    public static func backup(_ url: URL, to copy: URL) throws(JobStoreError) {
        let queue = try open(url)
        guard !FileManager.default.fileExists(atPath: copy.path) else {
            throw JobStoreError(.cannotOpen, "\(copy.path) exists already. Choose another name for the backup.")
        }
        try JobStoreError.wrapping(copy.path) {
            try queue.writeWithoutTransaction { try $0.execute(sql: "VACUUM INTO ?", arguments: [copy.path]) }
        }
    }

    private static func open(_ url: URL) throws(JobStoreError) -> DatabaseQueue {
        guard FileManager.default.fileExists(atPath: url.path) else {
            throw JobStoreError(.cannotOpen, "There is no job store at \(url.path). Give the path of a store.")
        }
        return try JobStoreError.wrapping(url.path) {
            var configuration = Configuration()
            configuration.readonly = true
            configuration.busyMode = .timeout(5)
            return try DatabaseQueue(path: url.path, configuration: configuration)
        }
    }

    /// Queries that count what must not be there.
    private static let rules = [
        ("SELECT COUNT(*) FROM job LEFT JOIN item ON item.job = job.id WHERE item.job IS NULL", "jobs have no item"),
        ("SELECT COUNT(*) FROM item LEFT JOIN job ON job.id = item.job WHERE job.id IS NULL", "items have no job"),
        ("SELECT COUNT(*) FROM job WHERE state = 2 AND (shard IS NULL OR row IS NULL)", "succeeded jobs have no row"),
        (
            "SELECT COUNT(*) FROM job WHERE won IS NOT NULL AND won > epoch",
            "jobs have a result from an attempt that never was"
        ),
        (
            "SELECT COUNT(*) FROM (SELECT 1 FROM job WHERE shard IS NOT NULL GROUP BY shard, row HAVING COUNT(*) > 1)",
            "rows of shards are the result of several jobs"
        ),
        (
            "SELECT COUNT(*) FROM job JOIN batch ON batch.id = job.batch WHERE batch.state IN (2, 3) AND job.state < 2",
            "unfinished jobs belong to batches that have ended"
        ),
        ("SELECT COUNT(*) FROM job WHERE state = 1 AND epoch = 0", "jobs run without an attempt"),
        ("SELECT COUNT(*) FROM job WHERE crash_base > crash_count OR fail_base > fail_count", "counters went down"),
    ]
}
