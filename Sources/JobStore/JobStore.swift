internal import Failpoints
public import Foundation
internal import GRDB

/// The durable memory of a coordinator: batches, jobs, attempts and which shard row is whose result.
///
/// Changes gather in one transaction until `commit()`; nothing of them may be acknowledged before. After a crash exactly
/// the committed groups are there. SQLite in WAL mode with `synchronous=FULL`: a commit survives the loss of power.
/// One thread owns a store, and a lock file keeps a second coordinator out.
public struct JobStore: ~Copyable {
    let path: String
    let queue: DatabaseQueue
    private let lock: StoreLock
    private var isGroupOpen = false

    /// Opens a store and makes it, with its folder, where it does not exist yet.
    public init(at url: URL) throws(JobStoreError) {
        let path = url.path
        do {
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        } catch {
            throw JobStoreError(.cannotOpen, "The folder for \(path) cannot be made. Check permissions.", cause: error)
        }
        let lock = try StoreLock(path: path + ".lock")
        let queue = try JobStoreError.wrapping(path) {
            var configuration = Configuration()
            configuration.journalMode = .wal
            configuration.busyMode = .timeout(5)
            configuration.allowsUnsafeTransactions = true  // a group stays open between calls
            let queue = try DatabaseQueue(path: path, configuration: configuration)
            try queue.writeWithoutTransaction { database in
                // GRDB lowers this to NORMAL when it turns WAL on, after any set-up hook: only here does it hold.
                try database.execute(sql: "PRAGMA synchronous = FULL")
                try Schema.migrate(database, path: path)
            }
            return queue
        }
        self.path = path
        self.lock = lock
        self.queue = queue
    }

    /// Makes everything since the last commit durable, all of it or nothing.
    public mutating func commit() throws(JobStoreError) {
        guard isGroupOpen else { return }
        isGroupOpen = false
        Failpoint.reach("store.commit")
        try access { try $0.commit() }
        Failpoint.reach("store.committed")
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
}
