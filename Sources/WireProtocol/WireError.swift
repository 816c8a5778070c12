/// A message that is not what the wire contract says: what is wrong with it and what to do.
public struct WireError: Error, CustomStringConvertible, Sendable {
    /// What is wrong with a message.
    public enum Code: String, Sendable, Hashable {
        /// Not exactly two frames.
        case frameCount
        /// The first frame is not the protocol tag: the peer speaks something else.
        case tag
        /// The body is over the limit.
        case tooLarge
        /// The body is not the expected message.
        case undecodable
        /// A number or a name in the message cannot be meant.
        case implausible
        /// The message has no content this version knows.
        case unknownKind
        /// The peer speaks another protocol version.
        case version
    }

    /// What is wrong.
    public let code: Code
    /// What is wrong in words, and what to do.
    public let message: String

    /// The message.
    public var description: String { message }

    /// An error with its code and text.
    public init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}
