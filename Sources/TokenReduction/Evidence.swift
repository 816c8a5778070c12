public import Tensors

/// The evidence that the stages of a reduction need from a layer, which computes only what is needed.
public struct EvidenceNeeds: OptionSet, Sendable, Hashable {
    /// One bit for each kind of evidence.
    public let rawValue: UInt16

    /// The kinds of evidence whose bits are set.
    public init(rawValue: UInt16) { self.rawValue = rawValue }

    /// The attention map after the softmax, averaged over heads.
    public static let attentionProbabilities = EvidenceNeeds(rawValue: 1 << 0)
    /// The scaled products of queries and keys before mask and softmax, averaged over heads.
    public static let attentionLogits = EvidenceNeeds(rawValue: 1 << 1)
    /// The keys, averaged over heads, before anything is added to them.
    public static let keys = EvidenceNeeds(rawValue: 1 << 2)
    /// The attention of one row, after the softmax and averaged over heads: the class token's where there is one, else
    /// that of the last row, the prompt's last word. One row is computed, not the map.
    public static let observerAttention = EvidenceNeeds(rawValue: 1 << 3)
    /// How much the observing row will look at each row in the next layer, averaged over heads. Known, as all about that
    /// layer, once this one is through, before anything is given up.
    public static let upcomingAttention = EvidenceNeeds(rawValue: 1 << 4)
    /// The keys of all heads side by side.
    public static let wholeKeys = EvidenceNeeds(rawValue: 1 << 5)
    /// The rows as the language model's final norm would leave them.
    public static let normalizedStates = EvidenceNeeds(rawValue: 1 << 6)
    /// Which text tokens speak about the picture, settled when the rows enter the language model.
    public static let raters = EvidenceNeeds(rawValue: 1 << 7)
    /// The attention of the observing row in the next layer with all heads as one.
    public static let upcomingAttentionHeadsAsOne = EvidenceNeeds(rawValue: 1 << 8)
    /// The next layer's keys.
    public static let upcomingKeys = EvidenceNeeds(rawValue: 1 << 9)

    /// All that can be known of the next layer.
    public static let upcoming: EvidenceNeeds = [.upcomingAttention, .upcomingAttentionHeadsAsOne, .upcomingKeys]
    /// Whether anything about the next layer is among them.
    public var looksAhead: Bool { !isDisjoint(with: .upcoming) }
}

/// What one layer offers about one sequence: a single image in the encoder, one prompt in the decoder.
///
/// A layer fills in what the stages need; asking for what is not there is a typed error.
public struct Evidence: Sendable {
    /// How much each row looks at each row, averaged over heads.
    public var attention: AttentionMap?
    /// The cosine of each visual token with the question in CLIP's space, averaged over the question's pieces.
    public var relevance: [Double]?
    /// The head-mean keys, (rows, head width), float32 or float64.
    public var keys: Tensor?
    /// How much the observing row looks at each row, (1, rows), averaged over heads.
    public var observer: Tensor?
    /// The next layer's keys, and of its attention what was asked for.
    public var upcoming: UpcomingAttention?
    /// The keys of all heads, (rows, heads · head width), float32 or float64.
    public var wholeKeys: Tensor?
    /// The rows after the final norm, (rows, width), float32 or float64.
    public var normalizedStates: Tensor?
    /// The maps of the layers before this one, the oldest first, as far back as a filter asked and nothing was given up.
    public var earlierAttention: [AttentionMap] = []
    /// Rows of the text tokens that speak about the picture.
    public var raters: [Int]?

    /// The evidence of one layer; leave out what was not needed.
    public init(
        attention: AttentionMap? = nil, keys: Tensor? = nil, observer: Tensor? = nil,
        upcoming: UpcomingAttention? = nil, wholeKeys: Tensor? = nil, normalizedStates: Tensor? = nil
    ) {
        self.attention = attention
        self.keys = keys
        self.observer = observer
        self.upcoming = upcoming
        self.wholeKeys = wholeKeys
        self.normalizedStates = normalizedStates
    }

    /// The evidence of a researcher's own tensors: a map, and keys with their heads, (heads, rows, head width).
    ///
    /// Attention of earlier and later layers, and rows after the final norm, are not among them.
    public init(attention: AttentionMap, averagingHeadsOf keys: Tensor?) throws(ReductionError) {
        if let keys, keys.shape.count != 3 || keys.shape[0] == 0 || !keys.isReadable {
            throw ReductionError(
                .mismatch,
                "keys with heads are (heads, rows, width) in float32 or float64, not \(keys.shape) \(keys.type.rawValue)"
            )
        }
        self.init(attention: attention, keys: keys?.meanOfOutermost())
    }

    /// Throws if tensors that did not come from a layer hold what no layer computes: numbers that are not finite, and
    /// attention after the softmax below 0 or above 1.
    func checkNumbers() throws(ReductionError) {
        if let keys, !keys.holdsFiniteNumbers {
            throw ReductionError(
                .notFinite, "the keys hold NaN or infinity: were they stored before they were computed?")
        }
        guard let attention else { return }
        guard attention.cells.holdsFiniteNumbers else {
            throw ReductionError(.notFinite, "the attention holds NaN or infinity: a masked softmax leaves zeros")
        }
        guard attention.scores == .probabilities else { return }
        let rounding = 1e-3  // of a softmax in half precision
        let numbers =
            attention.cells.type == .float64 ? attention.cells.doubles : attention.cells.floats.map(Double.init)
        if let wrong = numbers.first(where: { !(0...1 + rounding).contains($0) }) {
            throw ReductionError(
                .mismatch,
                "the attention holds \(wrong), and this reduction reads probabilities, from 0 to 1: give it after the "
                    + "softmax, or choose a method or option that reads logits")
        }
    }
}
