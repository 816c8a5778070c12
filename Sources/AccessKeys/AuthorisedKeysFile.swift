private import Glibc

/// The list of authorised keys as a running coordinator sees it: read again whenever the file has changed.
public struct AuthorisedKeysFile: Sendable {
    /// What of a file changes with it.
    private struct Mark: Equatable {
        var inode: UInt64 = 0
        var size: Int64 = -1
        var seconds = 0
        var nanoseconds = 0
        var mode: UInt32 = 0
        var changedSeconds = 0
        var changedNanoseconds = 0
    }

    private let path: String
    private var mark = Mark()
    /// The list as it was when it was last read.
    public private(set) var keys = AuthorisedKeys()
    /// Why the list cannot be used now; nobody is let in while it is set.
    public private(set) var problem: AccessKeyError?

    /// The list of a folder, not read yet.
    public init(_ folder: KeyFolder) { path = folder.listFile }

    /// Reads the file if it has changed; true if somebody may be in or out who was not before.
    public mutating func refresh() -> Bool {
        let current = Self.mark(of: path)
        guard current != mark else { return false }
        mark = current
        do {
            keys = AuthorisedKeys(text: try PrivateFile.read(path, isSecret: false))
            problem = nil
        } catch {
            keys = AuthorisedKeys()
            problem = error
        }
        return true
    }

    private static func mark(of path: String) -> Mark {
        var status = stat()
        // A file that is not there differs from one that was never looked at.
        guard stat(path, &status) == 0 else { return Mark(size: -2) }
        return Mark(
            inode: UInt64(status.st_ino), size: Int64(status.st_size), seconds: status.st_mtim.tv_sec,
            nanoseconds: status.st_mtim.tv_nsec, mode: status.st_mode, changedSeconds: status.st_ctim.tv_sec,
            changedNanoseconds: status.st_ctim.tv_nsec)
    }
}
