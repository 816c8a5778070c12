public import JobVocabulary
public import Tensors
public import TokenReduction
public import VisionLanguage

/// One prompt, its pictures, if any, and how the answer is generated.
public struct GenerationRequest: Sendable {
    /// A picture, ready for the tower.
    public struct Picture: Sendable {
        /// What the tower sees of it, `(patches, 3·patch²)` each.
        public let tiles: [Tensor]
        /// How the picture lies on them.
        public let tiling: PictureTiling
        /// Equal keys mean equal features: same picture, same preprocessing, same reduction, and the same wish for the tower's
        /// own; where the reduction reads the question, different questions are told apart all the same. nil: never shared.
        public let key: String?

        /// A picture and what tells it from others.
        public init(_ prepared: PictureInput, key: String?) {
            tiles = prepared.tiles.map(\.patches)
            tiling = prepared.tiling
            self.key = key
        }

        /// A picture of tiles that were made otherwise; there are as many as `tiling` has.
        public init(tiles: [Tensor], tiling: PictureTiling, key: String?) {
            precondition(
                tiles.count == tiling.tiles, "\(tiles.count) tiles for a picture of \(tiling.tiles)")
            self.tiles = tiles
            self.tiling = tiling
            self.key = key
        }
    }

    /// Chosen by the caller; comes back with the result.
    public let id: UInt64
    /// The text, cut where the pictures go.
    public let prompt: MultimodalPrompt
    /// The pictures, in the order of their places.
    public let pictures: [Picture]
    /// How visual tokens are reduced; its budget counts for each tile of a picture.
    public let plan: ReductionPlan
    /// How tokens are chosen.
    public let sampling: Sampling
    /// Most tokens of an answer, the end-of-sequence token included.
    public let maxTokens: Int
    /// Texts that end an answer; they are not part of it.
    public let stop: [String]
    /// Whether the result holds what entered the projector.
    public let keepsTowerFeatures: Bool
    /// Equal keys mean the same pictures and reductions, whatever is asked about them; nil if nothing may be shared.
    let pictureKey: String?

    /// A request; `maxTokens` is at least 1, and there is a picture for each place in the prompt.
    public init(
        id: UInt64, prompt: MultimodalPrompt, pictures: [Picture], plan: ReductionPlan,
        sampling: Sampling, maxTokens: Int, stop: [String] = [], keepsTowerFeatures: Bool = false
    ) {
        precondition(maxTokens >= 1, "an answer has at least one token")
        precondition(prompt.pictures == pictures.count, "a prompt and its pictures come together")
        self.id = id
        self.prompt = prompt
        self.pictures = pictures
        self.plan = plan
        self.sampling = sampling
        self.maxTokens = maxTokens
        self.stop = stop
        self.keepsTowerFeatures = keepsTowerFeatures
        let keys = pictures.compactMap(\.key)
        let isShared = !keys.isEmpty && keys.count == pictures.count
        pictureKey = isShared ? keys.map { "\($0.utf8.count) \($0)" }.joined(separator: " ") : nil
    }
}

/// An answer and what it took.
public struct GenerationResult: Sendable {
    /// The request's.
    public let id: UInt64
    /// Without special tokens and stop text, surrounding white space removed.
    public let text: String
    /// Generated ids, the end-of-sequence token included.
    public let tokenIDs: [Int]
    /// Natural logarithm of each generated token's probability before temperature and top-p.
    public let logProbabilities: [Float]
    /// Why the answer ended.
    public let finishReason: FinishReason
    /// Rows that entered the decoder.
    public let promptTokens: Int
    /// `(visual tokens, decoder width)`, of all pictures as they entered the decoder; no rows without a picture.
    public let features: Tensor
    /// `(visual tokens, tower width)`, of all pictures as they entered the projector; nil unless the request asked for them.
    public let towerFeatures: Tensor?
    /// Whether the features of all pictures had been computed for other requests.
    public let reusedFeatures: Bool
    /// Whether the prompt up to the last picture's end had been read for another request.
    public let reusedPrefix: Bool
    /// What became of every visual token.
    public let trace: ReductionTrace
    /// What it took in operations.
    public let flops: OperationCounts
    /// What it took in time.
    public let seconds: GenerationTimings
    /// Bytes of keys and values at the end.
    public let cacheBytes: Int
}

/// Floating-point operations that an answer's path through the model took; one multiply-add counts 2.
///
/// Where features or a prefix were reused, what computing them took the first time counts here as well: equal requests
/// have equal counts, whoever came first.
public struct OperationCounts: Sendable, Hashable {
    /// The vision tower, and CLIP's text tower where the reduction reads the question.
    public var vision = 0
    /// The projector.
    public var projector = 0
    /// The decoder, reading the prompt.
    public var prefill = 0
    /// The decoder, writing the answer.
    public var decode = 0

    /// The sum over all parts.
    public var total: Int { vision + projector + prefill + decode }
}

/// Seconds that each part took; of work done for many requests at once, this request's share by operations. Work that was
/// reused took no time.
public struct GenerationTimings: Sendable, Hashable {
    /// The vision tower and the projector.
    public var vision = 0.0
    /// Filter, correlate and compress; part of `vision` and `prefill`.
    public var reduce = 0.0
    /// Reading the prompt.
    public var prefill = 0.0
    /// Writing the answer.
    public var decode = 0.0

    /// The sum over all parts.
    public var total: Double { vision + prefill + decode }
}
