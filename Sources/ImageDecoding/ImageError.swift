/// Why a picture could not be read or prepared, and what to do about it.
public struct ImageError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kinds of failure a caller may want to tell apart.
    public enum Code: String, Sendable {
        /// The file is not there or may not be read.
        case unreadable
        /// There are no bytes.
        case empty
        /// The bytes are not a picture.
        case notAPicture = "not_a_picture"
        /// A picture, but of a format or a feature that is not read.
        case unsupported
        /// The declared size is over the limit.
        case tooLarge = "too_large"
        /// The data end before the picture does.
        case truncated
        /// The data contradict themselves.
        case damaged
        /// The preprocessing settings cannot be carried out.
        case badSettings = "bad_settings"
        /// The machine ran out of memory.
        case outOfMemory = "out_of_memory"
    }

    /// The kind of failure.
    public let code: Code
    /// What went wrong and what to do, without the name of the file.
    public let message: String
    /// The path of the picture, where it came from a file.
    public let file: String?

    /// An error of the given kind.
    public init(_ code: Code, _ message: String, file: String? = nil) {
        self.code = code
        self.message = message
        self.file = file
    }

    /// The whole message, which ends with the file where there is one: what is shown in part is shown from its beginning.
    public var description: String {
        if let file { "\(message): \(file)" } else { message }
    }

    /// The same error about a named file.
    public func naming(_ file: String) -> ImageError { ImageError(code, message, file: file) }
}
