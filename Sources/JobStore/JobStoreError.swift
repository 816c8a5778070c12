private import FileLocks
internal import GRDB

/// Why the job store could not do what it was asked.
public struct JobStoreError: Error, CustomStringConvertible, Sendable {
    /// The kind of error.
    public enum Code: Sendable, Hashable {
        /// Another coordinator has the store open.
        case inUse
        /// The store was written by a newer version.
        case newerSchema
        /// The file cannot be made or opened.
        case cannotOpen
        /// An item's id is already used in the batch, for another item.
        case changedItem
        /// There is no such batch, or it takes no more items.
        case noSuchBatch
        /// The batch has not ended, and only one that has can be forgotten.
        case notEnded
        /// No space is left; nothing after the last commit counts. Works again once there is some.
        case noSpace
        /// Reading or writing failed; nothing after the last commit counts. May work again.
        case ioError
        /// A change could not be brought to the disk for certain, and trying again would hide that; nothing after the last
        /// commit counts. Only a new start reads what is really there.
        case syncFailed
        /// The file is damaged.
        case corrupt
        /// Something else; nothing after the last commit counts.
        case failed
    }

    /// The kind of error.
    public let code: Code
    /// What went wrong and what to do.
    public let message: String
    /// The error underneath.
    public let cause: (any Error)?

    init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }

    /// Whether the disk is at fault, so that reading goes on while writing does not.
    public var isDisk: Bool { [.noSpace, .ioError, .syncFailed].contains(code) }

    /// The message and its cause; of SQLite its words, without the statement that it was at.
    public var description: String {
        cause.map { "\(message) (\(($0 as? DatabaseError)?.message ?? "\($0)"))" } ?? message
    }

    /// Turns errors of the database into errors of the store.
    static func wrapping<Result: ~Copyable>(
        _ path: String, _ body: () throws -> Result
    ) throws(JobStoreError) -> Result {
        do {
            return try body()
        } catch let error as JobStoreError {
            throw error
        } catch let error as DatabaseError {
            throw JobStoreError(error, path)
        } catch {
            throw JobStoreError(
                .failed, "The job store \(path) failed. Check the disk and the file, then start again.", cause: error)
        }
    }

    private init(_ error: DatabaseError, _ path: String) {
        switch (error.resultCode, error.extendedResultCode) {
        // Where the shared-memory file cannot grow, the disk is full as well.
        case (.SQLITE_FULL, _), (_, .SQLITE_IOERR_SHMSIZE):
            self.init(.noSpace, "No space is left for the job store \(path). Free some.", cause: error)
        case (_, .SQLITE_IOERR_LOCK), (_, .SQLITE_IOERR_UNLOCK), (_, .SQLITE_IOERR_RDLOCK),
            (_, .SQLITE_IOERR_CHECKRESERVEDLOCK), (_, .SQLITE_IOERR_SHMLOCK), (_, .SQLITE_IOERR_SHMMAP),
            (_, .SQLITE_IOERR_SHMOPEN):
            let kind = FileSystemKind(of: path).map { " (\($0.name))" } ?? ""
            self.init(
                .ioError,
                "The file system\(kind) of the job store \(path) gives SQLite no locks or no shared memory. Put the store on a "
                    + "disk of this machine.", cause: error)
        // SQLite says the same where a lock is held and where the server of a network disk gives none.
        case (.SQLITE_BUSY, _):
            let kind = FileSystemKind(of: path).flatMap { $0.reach == .machine ? nil : $0.name }
            self.init(
                .ioError,
                "The job store \(path) is locked: "
                    + (kind.map { "another program uses it, or \($0) gives no locks" } ?? "another program uses it")
                    + ". End that program, or put the store on a disk of this machine.", cause: error)
        case (_, .SQLITE_IOERR_FSYNC), (_, .SQLITE_IOERR_DIR_FSYNC):
            self.init(
                .syncFailed,
                "The job store \(path) cannot be synced to disk. Check the disk, then start the coordinator again.",
                cause: error)
        case (.SQLITE_IOERR, _), (.SQLITE_READONLY, _), (.SQLITE_CANTOPEN, _), (.SQLITE_PERM, _):
            self.init(
                .ioError, "The job store \(path) cannot be written. Check the disk and the file's permissions.",
                cause: error)
        case (.SQLITE_CORRUPT, _), (.SQLITE_NOTADB, _):
            self.init(
                .corrupt,
                "The job store \(path) is damaged. Run `winnow doctor --store` on it; restore a backup, or start with a "
                    + "new store and submit again.", cause: error)
        default:
            self.init(
                .failed, "The job store \(path) failed. Check the disk and the file, then start again.", cause: error)
        }
    }
}
