/// What went wrong with numbers or the files that hold them.
public struct TensorError: Error, CustomStringConvertible, Sendable {
    /// Kinds of failure.
    public enum Code: String, Sendable {
        case cannotOpen, cannotWrite, malformedFile, missingTensor, wrongShape, unsupportedType, engineFailure,
            notFinite
    }

    /// What kind of failure it is.
    public let code: Code
    /// What went wrong and what to do about it, then the path of the file or folder where it concerns one: what is shown in
    /// part is shown from its beginning.
    public let message: String

    /// An error with its message, of which the path is the end.
    public init(_ code: Code, _ message: String, at path: String? = nil) {
        self.code = code
        self.message = path.map { "\(message): \($0)" } ?? message
    }

    /// The message.
    public var description: String { message }
}
