internal import Glibc

/// A lock on a file or a folder: any other lock on it, in any process, is refused or waits.
///
/// The kernel lets go of it when the value goes away or the process ends, however it ends. Only those who ask are kept
/// out: what is held can be read and written as ever.
public struct FileLock: ~Copyable, Sendable {
    /// What is held.
    public enum Place: Sendable, Hashable {
        /// A file, which is made if needed; nothing is written into it.
        case file(String)
        /// A folder, which must be there.
        case folder(String)
    }

    /// Why a lock is not held; the caller adds what to do about it.
    public enum Failure: Error, Sendable, Hashable {
        /// The file or folder cannot be opened or made; `reason` is the system's.
        case cannotOpen(reason: String)
        /// Another process, or another part of this one, holds the lock.
        case refused
        /// Its file system gives no locks, for the system's reason: nobody can hold anything there.
        case noLocks(reason: String)

        /// What it means that the system refuses a lock with an error number on a file system.
        public init(_ number: Int32, on kind: FileSystemKind?) {
            guard number != EWOULDBLOCK else {
                self = .refused
                return
            }
            let reason = String(cString: strerror(number))
            self = .noLocks(reason: kind.map { "\($0.name): \(reason)" } ?? reason)
        }
    }

    private let descriptor: Int32

    /// Takes hold of a file or a folder.
    ///
    /// - Parameter waits: whether to wait, for however long, until nobody else holds it, rather than be refused.
    public init(_ place: Place, waits: Bool) throws(Failure) {
        let descriptor =
            switch place {
            case .file(let path): open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o644)
            case .folder(let path): open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            }
        guard descriptor >= 0 else { throw Failure.cannotOpen(reason: String(cString: strerror(errno))) }
        let operation = waits ? LOCK_EX : LOCK_EX | LOCK_NB
        var isHeld = flock(descriptor, operation) == 0
        while !isHeld, waits, errno == EINTR { isHeld = flock(descriptor, operation) == 0 }
        guard isHeld else {
            let number = errno
            close(descriptor)
            let path =
                switch place {
                case .file(let path), .folder(let path): path
                }
            throw Failure(number, on: FileSystemKind(of: path))
        }
        self.descriptor = descriptor
    }

    deinit {
        // A process that is being started has a copy of the descriptor until it becomes its own program: closing alone would
        // leave the lock to that copy for a moment.
        flock(descriptor, LOCK_UN)
        close(descriptor)
    }

    /// Lets go of it now rather than at the end of its scope.
    public consuming func end() {}

    /// Whether somebody holds a file; it is not made, and one that cannot be opened is nobody's.
    ///
    /// To find out it takes a shared lock for a moment, in which others that do not wait are refused. On a file system
    /// without locks nobody holds anything.
    public static func isHeld(_ path: String) -> Bool {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return false }
        defer { close(descriptor) }
        return flock(descriptor, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK
    }
}
