private import Glibc

/// Lets one process at a time write a catalogue or put another in its place.
///
/// A journal belongs to a file by its name only: one that is begun for the old file while the new one takes its name
/// would be rolled back into the new one. The kernel frees the lock when the process ends, however it ends.
enum CatalogueLock {
    /// Waits for the lock of a folder and holds it during `body`; a file system without locks is used without.
    static func holding<Value>(_ folder: String, _ body: () throws -> Value) throws -> Value {
        let descriptor = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        defer { if descriptor >= 0 { close(descriptor) } }
        if descriptor >= 0 { while flock(descriptor, LOCK_EX) != 0, errno == EINTR {} }
        return try body()
    }
}
