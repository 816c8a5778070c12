private import Glibc
internal import HDF5

/// Why a result file could not be written or read, in words that say what to do about it.
public struct ResultFileError: Error, CustomStringConvertible, Sendable {
    /// The kinds of failure that callers tell apart.
    public enum Code: String, Codable, Sendable, Hashable {
        /// A row contradicts itself; it was not added. The other rows are unharmed.
        case invalidRow
        /// The disk, a quota or a limit on file sizes is exhausted.
        case noSpace
        /// The operating system or the library failed while writing; nothing of the shard is visible.
        case writeFailed
        /// No such file.
        case notFound
        /// The file cannot be read just now: rights, the disk, its mount, a lock, too many open files.
        case unavailable
        /// The file can be read, and is damaged, cut off, or not what its name says.
        case corrupt
        /// A shard of another format version.
        case unknownVersion
        /// The file uses something that is never followed in files of unknown origin.
        case refused
    }

    /// The kind of failure.
    public let code: Code
    /// What went wrong and what to do, then the path of the file or folder where it concerns one.
    public let message: String
    /// The job whose row is at fault, for `invalidRow`.
    public let job: String?
    /// What the library below reported.
    public let cause: (any Error)?

    /// The message.
    public var description: String { message }

    init(_ code: Code, _ message: String, at path: String? = nil, job: String? = nil, cause: (any Error)? = nil) {
        self.code = code
        self.message = path.map { "\(message): \($0)" } ?? message
        self.job = job
        self.cause = cause
    }

    /// A failed system call; `errno` is read here.
    init(system call: String, _ path: String) {
        let number = errno
        let isFull = [ENOSPC, EDQUOT, EFBIG].contains(number)
        let advice =
            switch number {
            case ENOENT, ENOTDIR: "check that the results folder exists and is a folder"
            case EACCES, EPERM, EROFS: "give this user the right to write there"
            case EEXIST: "this name is taken and is not replaced; seal again under a new name"
            case _ where isFull: "free space and seal again"
            default: "check the disk"
            }
        let reason = String(cString: strerror(number))
        self.init(isFull ? .noSpace : .writeFailed, "cannot \(call) (\(reason)); \(advice)", at: path)
    }

    /// A system call that failed while reading; `errno` is read here. It says nothing about what would have been read.
    init(cannotRead path: String) {
        let number = errno
        let reason = String(cString: strerror(number))
        self.init(
            number == ENOENT || number == ENOTDIR ? .notFound : .unavailable,
            "cannot read the file (\(reason)); check the path, the disk, its mount and the rights of this user",
            at: path)
    }

    /// An error of the HDF5 library while reading. A shard that lacks something is damaged; only the file can be absent.
    init(reading error: HDF5Error, file path: String) {
        let code: Code =
            switch error.code {
            case .notFound where access(path, F_OK) != 0: .notFound
            case .refused, .filterMissing: .refused
            case .locked, .unavailable: .unavailable
            default: .corrupt
            }
        self.init(code, error.description, cause: error)
    }
}
