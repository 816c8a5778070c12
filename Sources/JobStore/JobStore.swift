internal import Failpoints
public import Foundation
internal import GRDB
internal import JobModel

/// The durable memory of a coordinator: batches, jobs, attempts and which shard row is which job's result.
///
/// Changes gather in one transaction until `commit()`; none of them may be acknowledged before. After a crash exactly
/// the committed groups are there. SQLite in WAL mode with `synchronous=FULL`: a commit survives the loss of power.
/// One thread owns a store, and a lock file keeps a second coordinator out.
public struct JobStore: ~Copyable {
    let path: String
    let queue: DatabaseQueue
    let hot: HotStatements
    private let lock: StoreLock
    /// Whether there are changes that the next commit makes durable.
    private(set) var isGroupOpen = false
    /// What is known of the workers in the store.
    var workerNames = WorkerNames()
    /// The shard that was looked up last.
    var lastShard: (path: String, number: Int64)?

    /// Opens a store and makes it, with its folder, where it does not exist yet.
    ///
    /// A store that was not closed properly is checked for damage first, and refused where there is any.
    public init(at url: URL) throws(JobStoreError) {
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        } catch {
            throw JobStoreError(
                .cannotOpen, "The folder for \(url.path) cannot be made. Check permissions.", cause: error)
        }
        // One store has one lock, whichever links lead to it.
        let path = url.resolvingSymlinksInPath().path
        let lock = try StoreLock(path: path + ".lock")
        let wasClosed = !FileManager.default.fileExists(atPath: path + "-wal")
        var statements: HotStatements?
        let queue = try JobStoreError.wrapping(path) {
            var configuration = Configuration()
            configuration.journalMode = .wal
            configuration.busyMode = .timeout(5)
            configuration.allowsUnsafeTransactions = true  // a group stays open between calls
            // Only a file that has no page yet takes this: it can then give pages back that are free.
            configuration.prepareDatabase { try $0.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL") }
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.writeWithoutTransaction { database in
                if !wasClosed { try Self.checkForDamage(database, path: path) }
                // GRDB lowers this to NORMAL when it turns WAL on, after any set-up hook: only here does it hold.
                try database.execute(sql: "PRAGMA synchronous = FULL")
                guard try Int.fetchOne(database, sql: "PRAGMA synchronous") == 2 else {
                    throw JobStoreError(
                        .cannotOpen, "The job store \(path) does not take synchronous=FULL: commits would not last.")
                }
                try Schema.migrate(database, path: path)
                try Self.compact(database)
                // Pages of the index of ids, which a large submission touches at random.
                try database.execute(sql: "PRAGMA cache_size = -49152")
                // A checkpoint each 16 MB: pages that change often are then written back once.
                try database.execute(sql: "PRAGMA wal_autocheckpoint = 4096")
                statements = try HotStatements(database)
            }
            return queue
        }
        guard let statements else { throw JobStoreError(.failed, "The job store \(path) could not be prepared.") }
        self.path = path
        self.lock = lock
        self.queue = queue
        hot = statements
    }

    /// Forgets the open group before the connection goes. `hot` keeps statements prepared, with which SQLite puts the end of
    /// the connection off until they are gone, and would then tell a GRDB object that is gone already of the rollback.
    deinit {
        try? queue.writeWithoutTransaction { if $0.isInsideTransaction { try $0.rollback() } }
    }

    /// Makes everything since the last commit durable, all of it or nothing; false if there was nothing.
    @discardableResult
    public mutating func commit() throws(JobStoreError) -> Bool {
        guard isGroupOpen else { return false }
        isGroupOpen = false
        Failpoint.reach("store.commit")
        try access { database in
            if Failpoint.fails("store.disk") { throw DatabaseError(resultCode: .SQLITE_FULL) }
            try database.commit()
        }
        Failpoint.reach("store.committed")
        return true
    }

    /// Forgets everything since the last commit, after a failure.
    public mutating func rollback() {
        isGroupOpen = false
        workerNames.distrust()
        lastShard = nil
        // Where SQLite has rolled back by itself, or cannot, there is nothing left to undo.
        try? queue.writeWithoutTransaction { if $0.isInsideTransaction { try $0.rollback() } }
    }

    /// Whether the disk takes changes again: writes, syncs and removes a megabyte.
    public mutating func probe() throws(JobStoreError) {
        try access { database in
            let statement = "INSERT OR REPLACE INTO meta (key, value) VALUES ('probe', hex(zeroblob(500000)))"
            for sql in [statement, "DELETE FROM meta WHERE key = 'probe'"] {
                try database.inTransaction(.immediate) {
                    try database.execute(sql: sql)
                    return .commit
                }
            }
        }
    }

    /// Lets the file grow to this size and no further, so that it leaves space to others; nil takes the limit away.
    public mutating func limit(bytes: Int?) throws(JobStoreError) {
        try access { database in
            let size = try Int.fetchOne(database, sql: "PRAGMA page_size") ?? 4096
            let pages = bytes.map { max(1, $0 / size) } ?? 1_073_741_823
            _ = try Row.fetchOne(database, sql: "PRAGMA max_page_count = \(pages)")
        }
    }

    /// SQLite's `synchronous` setting: 2 is FULL.
    public borrowing func synchronousLevel() throws(JobStoreError) -> Int {
        try access { try Int.fetchOne($0, sql: "PRAGMA synchronous") ?? -1 }
    }

    /// Reads, with the changes of the open group.
    borrowing func access<Result>(_ body: (Database) throws -> Result) throws(JobStoreError) -> Result {
        try JobStoreError.wrapping(path) { try queue.writeWithoutTransaction(body) }
    }

    /// Changes, within the open group.
    mutating func change<Result>(_ body: (Database) throws -> Result) throws(JobStoreError) -> Result {
        if !isGroupOpen {
            try access { try $0.beginTransaction(.immediate) }
            isGroupOpen = true
        }
        return try access(body)
    }

    private static func checkForDamage(_ database: Database, path: String) throws {
        let found = try String.fetchOne(database, sql: "PRAGMA quick_check(1)")
        guard let found, found != "ok" else { return }
        throw JobStoreError(
            .corrupt,
            "The job store \(path) is damaged: \(found). Restore a backup, or start with a new store and submit again.")
    }
}
