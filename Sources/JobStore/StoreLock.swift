private import Glibc

/// Holds a job store for one coordinator: a second one, in whatever process, is refused.
struct StoreLock: ~Copyable {
    private let descriptor: Int32

    /// Locks a file, which is made if needed; the kernel frees the lock when the process ends, however it ends.
    init(path: String) throws(JobStoreError) {
        let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else {
            let reason = String(cString: strerror(errno))
            throw JobStoreError(.cannotOpen, "The lock file \(path) cannot be opened: \(reason). Check permissions.")
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            close(descriptor)
            throw JobStoreError(
                .inUse, "Another coordinator uses this job store (it holds \(path)). Stop it, or choose another store.")
        }
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// Whether somebody holds a lock file.
    static func isHeld(path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0
    }
}
