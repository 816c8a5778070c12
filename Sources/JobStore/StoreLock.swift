private import FileLocks

/// Holds a job store for one coordinator: a second one, in whatever process, is refused.
struct StoreLock: ~Copyable {
    private let lock: FileLock

    /// Locks a file, which is made if needed; the kernel frees the lock when the process ends, however it ends.
    init(path: String) throws(JobStoreError) {
        do {
            lock = try FileLock(.file(path), waits: false)
        } catch {
            switch error {
            case .cannotOpen(let reason):
                throw JobStoreError(
                    .cannotOpen, "The lock file \(path) cannot be opened: \(reason). Check permissions.")
            case .noLocks(let reason):
                throw JobStoreError(
                    .cannotOpen,
                    "The file system of \(path) has no locks (\(reason)), so nothing would keep a second coordinator from "
                        + "this job store. Put the store on a disk of this machine.")
            case .refused:
                throw JobStoreError(
                    .inUse,
                    "Another coordinator uses this job store (it holds \(path)). Stop it, or choose another store.")
            }
        }
    }
}
