internal import GRDB

/// What went wrong with the job store, and what to do about it.
public struct JobStoreError: Error, CustomStringConvertible, Sendable {
    /// The kind of error.
    public enum Code: Sendable, Hashable {
        /// Another coordinator uses the store.
        case inUse
        /// The store was written by a newer version.
        case newerSchema
        /// The store's file or folder cannot be opened.
        case cannotOpen
        /// An item's id is already used in the batch.
        case duplicateItem
        /// There is no such batch, or it takes no more items.
        case noSuchBatch
        /// Reading or writing failed; nothing after the last commit counts.
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

    /// The message and its cause.
    public var description: String { cause.map { "\(message) (\($0))" } ?? message }

    /// Turns errors of the database into errors of the store.
    static func wrapping<Result: ~Copyable>(
        _ path: String, _ body: () throws -> Result
    ) throws(JobStoreError) -> Result {
        do {
            return try body()
        } catch let error as JobStoreError {
            throw error
        } catch let error as DatabaseError where error.resultCode == .SQLITE_FULL {
            throw JobStoreError(
                .failed, "No space is left for the job store \(path). Free some and start again.", cause: error)
        } catch {
            throw JobStoreError(
                .failed, "The job store \(path) failed. Check the disk and the file, then start again.", cause: error)
        }
    }
}
