private import FileLocks

/// Keeps two commands from changing a folder's list at the same time.
struct FolderLock: ~Copyable {
    /// nil on a file system that has no locks.
    private let lock: FileLock?

    /// Waits for the lock.
    init(_ folder: String) throws(AccessKeyError) {
        do {
            lock = try FileLock(.folder(folder), waits: true)
        } catch {
            switch error {
            case .cannotOpen(let reason):
                throw AccessKeyError(.unreadable, "the folder \(folder) cannot be opened: \(reason)")
            case .noLocks, .refused: lock = nil
            }
        }
    }

    /// Lets others in now rather than at the end of its scope.
    consuming func end() {}
}
