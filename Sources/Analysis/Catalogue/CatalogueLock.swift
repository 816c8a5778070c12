private import FileLocks

/// Lets one process at a time write a catalogue or put another in its place.
///
/// A journal belongs to a file by its name only: one that is begun for the old file while the new one takes its name
/// would be rolled back into the new one. The kernel frees the lock when the process ends, however it ends.
enum CatalogueLock {
    /// Waits for the lock of a folder and holds it during `body`; a file system without locks is used without.
    static func holding<Value>(_ folder: String, _ body: () throws -> Value) throws -> Value {
        guard let lock = wait(for: folder) else { return try body() }
        let value = try body()
        lock.end()
        return value
    }

    private static func wait(for folder: String) -> FileLock? {
        do {
            return try FileLock(.folder(folder), waits: true)
        } catch {
            return nil
        }
    }
}
