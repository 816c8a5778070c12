/// What is wrong with a checkpoint or with what it was asked to do.
public struct ModelError: Error, CustomStringConvertible, Sendable {
    /// Kinds of failure.
    public enum Code: String, Sendable {
        case missingFile, malformedConfiguration, unknownModelType, missingTensor, wrongShape, vocabularyMismatch
        case promptTooLong, malformedPrompt, notFinite, missingTextTower, notEnoughMemory, otherPack
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
