private import Glibc

/// The size of a file and when anything about it last changed: equal stamps mean the same bytes, short of damage.
struct FileStamp: Equatable {
    let bytes: Int
    /// Nanoseconds since 1970; also a change of rights or of the name counts.
    let changed: Int

    init(bytes: Int, changed: Int) {
        self.bytes = bytes
        self.changed = changed
    }

    /// The stamp of a file; nil if it cannot be asked for.
    init?(of path: String) {
        var information = stat()
        guard stat(path, &information) == 0 else { return nil }
        bytes = Int(information.st_size)
        changed = Int(information.st_ctim.tv_sec) * 1_000_000_000 + Int(information.st_ctim.tv_nsec)
    }
}
