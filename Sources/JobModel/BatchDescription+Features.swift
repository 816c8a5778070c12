extension BatchDescription {
    /// Which visual features shards hold.
    public enum Features: String, Codable, Sendable, CaseIterable {
        /// What entered the decoder: after reduction and projector.
        case projected
        /// What entered the projector: after the vision tower and the reduction inside of it.
        case tower
        /// Shards hold no features.
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
}
