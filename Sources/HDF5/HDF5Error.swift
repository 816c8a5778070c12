/// Why HDF5 could not do what was asked, in words that say what to do about it.
public struct HDF5Error: Error, CustomStringConvertible, Sendable {
    /// The kinds of failure that callers tell apart.
    public enum Code: Sendable, Hashable {
        /// No such file, group, dataset or attribute.
        case notFound
        /// Another process has the file open for writing.
        case locked
        /// The system does not let the file be read just now: rights, the disk, too many open files. It may be whole.
        case unavailable
        /// The file or object is there already.
        case alreadyExists
        /// Not an HDF5 file, cut off, or damaged.
        case corrupt
        /// The disk, a quota or a limit on file sizes is exhausted.
        case noSpace
        /// The data is packed with a filter that this program does not load.
        case filterMissing
        /// The object has another type or shape than the caller asked for.
        case typeMismatch
        /// The file uses something that is never followed in files of unknown origin, or is larger than the limits.
        case refused
        /// Anything else; the message carries the library's own words.
        case other
    }

    /// The kind of failure.
    public let code: Code
    /// What went wrong, where, and what to do.
    public let message: String
    /// The library's error stack, innermost cause first; empty if the check was ours.
    public let stack: [String]

    /// Makes an error that did not come from the library.
    public init(code: Code, message: String, stack: [String] = []) {
        self.code = code
        self.message = message
        self.stack = stack
    }

    /// The message and the innermost cause.
    public var description: String { stack.first.map { "\(message) [\($0)]" } ?? message }
}
