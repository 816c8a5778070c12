public import Tensors

/// What the stages of a reduction ask of a layer; a layer computes nothing that nobody asked for.
public struct EvidenceNeeds: OptionSet, Sendable, Hashable {
    /// One bit for each kind of evidence.
    public let rawValue: UInt8

    /// The kinds of evidence whose bits are set.
    public init(rawValue: UInt8) { self.rawValue = rawValue }

    /// The attention map after the softmax, averaged over heads.
    public static let attentionProbabilities = EvidenceNeeds(rawValue: 1 << 0)
    /// The scaled products of queries and keys before mask and softmax, averaged over heads.
    public static let attentionLogits = EvidenceNeeds(rawValue: 1 << 1)
    /// The keys, averaged over heads.
    public static let keys = EvidenceNeeds(rawValue: 1 << 2)
}

/// What one layer offers about one sequence: a single image in the encoder, one prompt in the decoder.
///
/// A layer fills in what the stages need; asking for what is not there is a typed error.
public struct Evidence: Sendable {
    /// How much each row looks at each row, averaged over heads.
    public var attention: AttentionMap?
    /// The head-mean keys, (rows, head width).
    public var keys: Tensor?

    /// The evidence of one layer; leave out what was not needed.
    public init(attention: AttentionMap? = nil, keys: Tensor? = nil) {
        self.attention = attention
        self.keys = keys
    }
}
