/// Why something could not be accounted for, asked or scored.
public struct EvaluationError: Error, CustomStringConvertible, Sendable, Hashable {
    /// What kind of thing went wrong, for programs.
    public enum Code: String, Sendable, Hashable {
        /// Plan and model do not belong together.
        case mismatch
        /// The model cannot read a prompt of that length.
        case badLength
        /// The numbers do not fit into 64 bits.
        case tooLarge
        /// A file of a benchmark or of an evaluation is not there.
        case missingData
        /// A file of a benchmark or of an evaluation does not hold what it should.
        case badData
        /// Questions are still without an answer.
        case unfinished
        /// An evaluation was begun with other settings.
        case otherSettings
        /// Another process works in an evaluation's folder.
        case inUse
    }

    /// What kind of thing went wrong.
    public let code: Code
    /// What went wrong and what to do about it.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
