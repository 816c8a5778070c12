public import Tensors
public import TokenReduction
public import VisionLanguage

/// One picture, one prompt, and how the answer is to be made.
public struct GenerationRequest: Sendable {
    /// Chosen by the caller; comes back with the result.
    public let id: UInt64
    public let prompt: MultimodalPrompt
    /// `(patches, 3·patch²)`
    public let patches: Tensor
    /// Equal keys mean equal features: same picture, same preprocessing, same reduction. nil: never shared.
    public let featureKey: String?
    public let plan: ReductionPlan
    public let sampling: Sampling
    /// Most tokens of an answer, the end-of-sequence token included.
    public let maxTokens: Int
    /// Texts that end an answer; they are not part of it.
    public let stop: [String]

    /// A request; `maxTokens` is at least 1.
    public init(
        id: UInt64, prompt: MultimodalPrompt, patches: Tensor, featureKey: String?, plan: ReductionPlan,
        sampling: Sampling, maxTokens: Int, stop: [String] = []
    ) {
        precondition(maxTokens >= 1, "an answer has at least one token")
        self.id = id
        self.prompt = prompt
        self.patches = patches
        self.featureKey = featureKey
        self.plan = plan
        self.sampling = sampling
        self.maxTokens = maxTokens
        self.stop = stop
    }
}

/// An answer and what it took.
public struct GenerationResult: Sendable {
    /// Why an answer ended.
    public enum FinishReason: String, Sendable { case stop, length }

    public let id: UInt64
    /// Without special tokens and stop text, surrounding white space removed.
    public let text: String
    /// Generated ids, the end-of-sequence token included.
    public let tokenIDs: [Int]
    /// Natural logarithm of each generated token's probability before temperature and top-p.
    public let logProbabilities: [Float]
    public let finishReason: FinishReason
    /// Rows that entered the decoder.
    public let promptTokens: Int
    /// `(visual tokens, decoder width)`, as they entered the decoder.
    public let features: Tensor
    /// Whether the features had been computed for an earlier request.
    public let reusedFeatures: Bool
    /// What became of every visual token.
    public let trace: ReductionTrace
    public let flops: OperationCounts
    public let seconds: GenerationTimings
    /// Bytes of keys and values at the end.
    public let cacheBytes: Int
}

/// Floating-point operations that an answer's path through the model took; one multiply-add counts 2.
///
/// Where features were reused, `vision` and `projector` are what computing them took the first time.
public struct OperationCounts: Sendable, Hashable {
    public var vision = 0
    public var projector = 0
    public var prefill = 0
    public var decode = 0

    /// All of them.
    public var total: Int { vision + projector + prefill + decode }
}

/// Seconds that each part took; of work done for many requests at once, this request's share by operations.
public struct GenerationTimings: Sendable, Hashable {
    /// 0 where features were reused.
    public var vision = 0.0
    /// Filter, correlate and compress; part of `vision` and `prefill`.
    public var reduce = 0.0
    public var prefill = 0.0
    public var decode = 0.0

    /// All of them.
    public var total: Double { vision + prefill + decode }
}
