/// Why a reduction could not be chosen, planned or carried out.
public struct ReductionError: Error, CustomStringConvertible, Sendable, Hashable {
    /// What kind of thing went wrong, for programs.
    public enum Code: String, Sendable, Hashable {
        /// No method of that name is in the catalogue.
        case unknownMethod
        /// The method has no option of that name.
        case unknownOption
        /// The option exists, the value does not fit it.
        case badOption
        /// The number of tokens to keep is impossible for the method or the model.
        case badBudget
        /// The first reducing layer lies outside the model.
        case badLayer
        /// A stage needs something that the layer did not offer.
        case missingEvidence
        /// Shapes, layout and evidence do not belong together.
        case mismatch
        /// Scores or weights are not finite numbers.
        case notFinite
        /// Stages that do not fit together, or not there.
        case illegalCombination
        /// The number of tokens differs from the plan.
        case unexpectedCount
    }

    /// What kind of thing went wrong.
    public let code: Code
    /// What went wrong and what to do about it.
    public let message: String

    /// An error of the given kind; the message says what to do.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }

    /// The message.
    public var description: String { message }
}
