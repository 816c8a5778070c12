internal import JobVocabulary
public import Tensors
public import TokenReduction

/// A model that answers questions about pictures, in the order of the forward pass: encode, prefill, decode.
///
/// Every method takes many jobs at once; one instance belongs to one thread. A ``VisionLanguageProcessor`` prepares what
/// it takes, and ``ModelLoader`` makes both from a checkpoint.
public protocol VisionLanguageModel: AnyObject {
    /// The sizes of tower, projector and language model.
    var configuration: LLaVAConfiguration { get }
    /// Where its arithmetic happens.
    var backend: any Backend { get }

    /// Refuses a prompt that the model cannot take, before its pictures have been encoded; how many tokens of a picture stay
    /// may be for the picture to settle, which only `prefill` sees.
    func check(
        _ prompt: MultimodalPrompt, _ pictures: [PictureTiling], plan: ReductionPlan
    ) throws(ModelError)
    /// Runs tiles through tower and projector and reduces them as their plans say.
    func encode(_ tiles: [TileRequest]) throws -> [EncodedTile]
    /// A prompt with its pictures, of which nothing has been read, or what `prefix` holds. `room` is how many tokens the answer may
    /// have; `isShared` says whether the beginning will be asked for.
    func open(_ input: DecoderInput, prefix: PromptPrefix?, isShared: Bool, room: Int) throws -> UnreadPrompt
    /// Reads the first `count` of the rows of a prompt that are left, and not the last of them.
    func readOn(_ count: Int, of prompt: inout UnreadPrompt) throws
    /// Reads prompts to their ends; returns the sequences, ready for `decode`, and the logits after each,
    /// `(prompts, vocabulary)`.
    func finish(_ prompts: [UnreadPrompt]) throws -> (sequences: [DecoderSequence], logits: Tensor)
    /// Adds one token to each sequence; returns the logits after it, `(sequences, vocabulary)`.
    func decode(_ ids: [Int], _ sequences: [DecoderSequence]) throws -> Tensor

    /// Bytes of the keys and values of one row in all decoder layers.
    var cacheBytesPerRow: Int { get }
    /// The beginning of a prompt that was read as one that others share.
    func prefix(of sequence: DecoderSequence) -> PromptPrefix
    /// What ``PromptPrefix/bytes`` of a prompt's beginning would be.
    func prefixBytes(of input: DecoderInput) -> Int

    /// `(visual tokens, decoder width)`, what enters the decoder for all pictures of a prompt, without newlines: in the order of
    /// the sequence, or by the tokens' numbers (`byNumber`), as results store them if the decoder reduces further.
    func features(of input: DecoderInput, byNumber: Bool) -> Tensor
    /// `(visual tokens, tower width)`, what entered the projector for the same tokens in the same order; nil if nobody asked
    /// for it.
    func towerFeatures(of input: DecoderInput, byNumber: Bool) -> Tensor?
}

extension VisionLanguageModel {
    /// Reads prompts with their pictures at once, or from where a prefix ends; returns the sequences, ready for `decode`, and the
    /// logits after each, `(prompts, vocabulary)`. `room` is how many tokens each answer may have; `shares` says of which
    /// prompts the beginning will be asked for.
    public func prefill(
        _ inputs: [DecoderInput], prefixes: [PromptPrefix?]?, shares: [Bool]?, room: [Int]
    ) throws -> (sequences: [DecoderSequence], logits: Tensor) {
        try finish(
            inputs.indices.map {
                try open(
                    inputs[$0], prefix: prefixes?[$0], isShared: shares?[$0] ?? false, room: room[$0])
            })
    }

    /// Reads prompts from their first row on, with beginnings that no other prompt will ask for.
    public func prefill(
        _ inputs: [DecoderInput], room: [Int]
    ) throws -> (sequences: [DecoderSequence], logits: Tensor) {
        try prefill(inputs, prefixes: nil, shares: nil, room: room)
    }

    /// What enters the decoder for all pictures of a prompt, in the order in which it does.
    public func features(of input: DecoderInput) -> Tensor { features(of: input, byNumber: false) }
}

/// One tile of a picture after tower and projector.
public struct EncodedTile: Sendable {
    /// `(visual tokens, decoder width)`, what enters the decoder, in the residual type.
    public let features: Tensor
    /// `(visual tokens, tower width)`, what entered the projector; nil if nobody asked for it.
    public let towerFeatures: Tensor?
    /// The reduction so far; the decoder continues with the surviving tokens.
    public let reduction: TileReduction
    /// Operations of the tower, and of bringing its rows into the space of texts where the reduction reads the question.
    public let towerFLOPs: Int
    /// Operations of CLIP's text tower where the reduction reads the question, which is that of all tiles of a prompt.
    public let questionFLOPs: Int
    /// Operations of the projector.
    public let projectorFLOPs: Int
    /// All operations.
    public var flops: Int { towerFLOPs + questionFLOPs + projectorFLOPs }
}

/// What is to be encoded of one tile.
public struct TileRequest: Sendable {
    /// `(patches, 3·patch²)`.
    public let patches: Tensor
    /// How it is reduced.
    public let plan: ReductionPlan
    /// The user's question, for plans that read it.
    public let question: String?
    /// Whether the rows that enter the projector come out as well.
    public let keepsTower: Bool

    /// A tile and how it is reduced.
    public init(patches: Tensor, plan: ReductionPlan, question: String? = nil, keepsTower: Bool = false) {
        self.patches = patches
        self.plan = plan
        self.question = question
        self.keepsTower = keepsTower
    }
}

/// A prompt of which some rows are still to be read.
///
/// Causal attention shows a row nothing of what follows, so that a prompt may be read in pieces, and the answer is the same to the
/// last bit: in all layers, or in those before the first that a reduction looks at.
public struct UnreadPrompt {
    let sequence: DecoderSequence
    /// `(rows, decoder width)`, the rows that are left.
    var tensor: Tensor
    /// All rows, for a reduction that looks at them as they enter.
    let whole: Tensor?

    /// How many rows are left.
    public var rows: Int { tensor.rows }
    /// Whether some rows can be read before the others.
    public var isDivisible: Bool { sequence.reduction.plan.undisturbedLayers(of: .languageModel) > 0 }
}

/// What several prompts begin with: everything up to the last picture's last row, in all layers or, where pictures are
/// reduced in the decoder, in those before the first that a reduction looks at.
public struct PromptPrefix {
    let beginning: DecoderSequence.Prefix
    /// Operations of reading it.
    public let flops: Int
    /// Bytes of keys and values, and of rows that wait for the rest of a prompt.
    public var bytes: Int { beginning.bytes }
}
