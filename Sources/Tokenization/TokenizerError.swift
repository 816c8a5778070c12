/// Why a tokenizer could not be loaded or used, and what to do about it.
public struct TokenizerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// The kinds of failure a caller may want to tell apart.
    public enum Code: String, Sendable {
        /// A file is not there or may not be read.
        case unreadable
        /// A file is not what its name says.
        case damaged
        /// The folder asks for something that is not supported.
        case unsupported
        /// The ids don't fit the model's vocabulary.
        case vocabularyMismatch = "vocabulary_mismatch"
        /// A text could not be encoded.
        case encodingFailed = "encoding_failed"
    }

    /// The kind of failure.
    public let code: Code
    /// What went wrong and what to do, without the name of the file.
    public let message: String
    /// The path of the file it is about.
    public let file: String

    /// An error of the given kind about the given file.
    public init(_ code: Code, _ message: String, file: String) {
        self.code = code
        self.message = message
        self.file = file
    }

    /// The whole message, which ends with the file: what is shown in part is shown from its beginning.
    public var description: String { "\(message): \(file)" }
}
