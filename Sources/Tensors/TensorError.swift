/// What went wrong with numbers or the files that hold them.
public struct TensorError: Error, CustomStringConvertible, Sendable {
    /// Kinds of failure.
    public enum Code: String, Sendable {
        case cannotOpen, cannotWrite, malformedFile, missingTensor, wrongShape, unsupportedType, engineFailure,
            notFinite
    }

    /// What kind of failure it is.
    public let code: Code
    /// What went wrong and what to do about it.
    public let message: String

    /// An error with its message.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
