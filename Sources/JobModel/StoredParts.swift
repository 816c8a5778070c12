extension BatchDescription {
    /// Which visual features shards hold.
    public enum Features: String, Codable, Sendable, CaseIterable {
        /// What entered the decoder: after reduction and projector.
        case projected
        /// What entered the projector: after the vision tower and the reduction inside of it.
        case tower
        /// None of them.
        case none

        /// Reads the word, or the truth value that earlier versions wrote.
        public init(from decoder: any Decoder) throws {
            let container = try decoder.singleValueContainer()
            if let flag = try? container.decode(Bool.self) {
                self = flag ? .projected : .none
                return
            }
            let word = try container.decode(String.self)
            guard let value = Self(rawValue: word) else {
                throw DecodingError.dataCorruptedError(in: container, debugDescription: "no such features: '\(word)'")
            }
            self = value
        }
    }

    /// How much shards hold of what became of each visual token.
    public enum Trace: String, Codable, Sendable, CaseIterable {
        /// Steps, kept tokens, when each token left and where to, its score, and every merge with its weight.
        case full
        /// Steps, kept tokens, and when each token left and where to.
        case indices
        /// Nothing but the numbers of tokens.
        case none
    }
}

extension KeyedDecodingContainer {
    /// A description from before there was a choice stored the full trace.
    func decode(_ type: BatchDescription.Trace.Type, forKey key: Key) throws -> BatchDescription.Trace {
        try decodeIfPresent(type, forKey: key) ?? .full
    }
}
