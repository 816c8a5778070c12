private import Glibc

/// Keeps two commands from changing a folder's list at the same time.
struct FolderLock {
    private let descriptor: Int32

    /// Waits for the lock.
    init(_ folder: String) throws(AccessKeyError) {
        descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else {
            throw AccessKeyError(
                .unreadable, "the folder \(folder) cannot be opened: \(String(cString: strerror(errno)))")
        }
        while flock(descriptor, LOCK_EX) != 0, errno == EINTR {}
    }

    /// Lets others in.
    func end() { close(descriptor) }
}
