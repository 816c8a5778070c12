internal import Failpoints
private import FileLocks
internal import Glibc

/// Holds a job store for one coordinator: a second one, in whatever process, is refused.
struct StoreLock: ~Copyable {
    private let lock: FileLock

    /// Locks a file, which is made if needed; the kernel frees the lock when the process ends, however it ends.
    init(path: String) throws(JobStoreError) {
        do throws(FileLock.Failure) {
            if Failpoint.fails("store.lock") { throw FileLock.Failure(errno, on: FileSystemKind(of: path)) }
            lock = try FileLock(.file(path), waits: false)
        } catch {
            switch error {
            case .cannotOpen(let reason):
                throw JobStoreError(
                    .cannotOpen, "The lock file \(path) cannot be opened: \(reason). Check permissions.")
            case .noLocks(let reason):
                throw JobStoreError(
                    .cannotOpen,
                    "The file system of \(path) gives no locks (\(reason)), so nothing would keep a second coordinator from "
                        + "this job store. Put the store on a disk of this machine, or mount the file system with locks."
                )
            case .refused:
                throw JobStoreError(
                    .inUse,
                    "Another coordinator uses this job store (it holds \(path)). Stop it, or choose another store.")
            }
        }
    }
}
