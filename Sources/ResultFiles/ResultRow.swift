/// One finished job: everything a shard holds about it.
///
/// Token positions are always original patch indices. A failed job has its `error` and no tokens; one whose prompt is about no
/// picture has no visual tokens, and its `geometry` is all 0.
public struct ResultRow: Sendable, Hashable {
    /// The item's id.
    public var id: String
    /// The picture, as the item names it; empty where it is about none.
    public var image: String
    /// The SHA-256 of the picture file in hexadecimal; empty where there is none or it could not be read.
    public var imageSHA256 = ""
    /// What was wrong with the picture file though every pixel was there; empty where nothing was.
    public var pictureNotes = ""
    /// The instruction.
    public var prompt: String
    /// The generated text.
    public var answer = ""
    /// Number of the attempt; a later one is greater.
    public var attempt: UInt64
    /// Whether there is an answer.
    public var status = JobStatus.ok
    /// Why there is none.
    public var error = ""
    /// Catalogue name of the reduction method.
    public var method: String
    /// Visual tokens before any reduction.
    public var visualTokensIn = 0
    /// Visual tokens after the last reduction.
    public var visualTokensOut = 0
    /// Tokens of the prompt that entered the decoder, visual ones included.
    public var promptTokens = 0
    /// Generated tokens.
    public var answerTokens = 0
    /// Why the answer ended.
    public var finishReason = FinishReason.stop
    /// Floating point operations; one multiply-add counts as two. Work reused from another job counts here as well, so
    /// that equal jobs have equal counts.
    public var flops = Flops()
    /// Wall-clock time; reused work took none.
    public var seconds = Seconds()
    /// When the job ended, in seconds since 1970.
    public var finishedAt = 0.0
    /// Accepted answers of the item as a JSON list; empty where it has none.
    public var expectedAnswers = ""
    /// Labels of the item as a JSON object; empty where it has none.
    public var labels = ""
    /// Largest resident memory of the worker so far, in bytes.
    public var peakBytes = 0
    /// 1 where the visual features had been computed for another job of the same picture and reduction, else 0.
    public var reusedFeatures: UInt8 = 0
    /// 1 where the prompt up to the picture's end had been read for another job, else 0.
    public var reusedPrefix: UInt8 = 0
    /// 1 right, 0 wrong, -1 not scored.
    public var correct: Int8 = -1
    /// How the picture became the model's input.
    public var geometry = Geometry()
    /// What became of each visual token; (tokens) each.
    public var tokens = Tokens()
    /// The reducing steps in order; (steps) each.
    public var steps = Steps()
    /// Original index of each token left after the last reduction, in sequence order.
    public var kept: [UInt16] = []
    /// Every merge of every step; (merges) each.
    public var merges = Merges()
    /// The visual features that entered the decoder, (tokens, width) in row-major order; empty if not asked for.
    public var features: [Float16] = []
    /// The generated tokens.
    public var tokenIDs: [Int32] = []
    /// The natural logarithm of each generated token's probability; empty if not computed.
    public var tokenLogProbs: [Float] = []

    /// A row of a job about which nothing else is known yet.
    public init(id: String, image: String, prompt: String, method: String, attempt: UInt64) {
        self.id = id
        self.image = image
        self.prompt = prompt
        self.method = method
        self.attempt = attempt
    }

    /// Bytes that the row takes in memory, and nearly so in a shard.
    var byteCount: Int {
        let text =
            id.utf8.count + image.utf8.count + pictureNotes.utf8.count + prompt.utf8.count + answer.utf8.count
            + error.utf8.count
            + expectedAnswers.utf8.count + labels.utf8.count
        return 512 + text + 5 * tokens.leftAt.count + 26 * steps.layer.count + 2 * kept.count
            + 7 * merges.step.count + 2 * features.count + 4 * (tokenIDs.count + tokenLogProbs.count)
    }
}

extension ResultRow {
    /// Floating point operations by part of the model.
    public struct Flops: Sendable, Hashable {
        /// The vision tower, reductions inside of it included.
        public var vision = 0.0
        /// The projector.
        public var projector = 0.0
        /// The decoder over the prompt.
        public var prefill = 0.0
        /// The decoder over the answer.
        public var decode = 0.0

        /// Nothing counted.
        public init() {}
    }

    /// Wall-clock seconds by phase.
    public struct Seconds: Sendable, Hashable {
        /// From acceptance to assignment.
        public var queue = 0.0
        /// Reading and preparing the picture.
        public var load = 0.0
        /// The vision tower and the projector.
        public var vision = 0.0
        /// Filter, correlate and compress.
        public var reduce = 0.0
        /// The decoder over the prompt.
        public var prefill = 0.0
        /// The decoder over the answer.
        public var decode = 0.0

        /// Nothing measured.
        public init() {}
    }

    /// How the picture became the model's square, so that tokens can be drawn over it; pixels.
    ///
    /// Cutting: the source is resized to `resized…`, then the window `crop…` of that is seen. Padding: the source is laid
    /// at (`padLeft`, `padTop`) on a canvas of `padWidth` by `padHeight`, which is then resized to `resized…`. The
    /// fields of the way that was not taken are 0.
    public struct Geometry: Sendable, Hashable {
        /// Width of the picture, upright.
        public var sourceWidth = 0
        /// Height of the picture, upright.
        public var sourceHeight = 0
        /// Width after resizing.
        public var resizedWidth = 0
        /// Height after resizing.
        public var resizedHeight = 0
        /// Left edge of the window that was cut out.
        public var cropLeft = 0
        /// Upper edge of the window that was cut out.
        public var cropTop = 0
        /// Width of the window that was cut out.
        public var cropWidth = 0
        /// Height of the window that was cut out.
        public var cropHeight = 0
        /// Columns of padding left of the picture.
        public var padLeft = 0
        /// Rows of padding above the picture.
        public var padTop = 0
        /// Width of the padded canvas.
        public var padWidth = 0
        /// Height of the padded canvas.
        public var padHeight = 0

        /// Nothing known.
        public init() {}
    }

    /// What became of each original visual token.
    public struct Tokens: Sendable, Hashable {
        /// The step at which the token left; 255 if it survived.
        public var leftAt: [UInt8] = []
        /// The token that most of its content went to; 65,535 if it was discarded.
        public var wentTo: [UInt16] = []
        /// The last score the token was given.
        public var score: [Float16] = []

        /// No tokens.
        public init() {}

        /// In `leftAt`: still there.
        public static let survived = UInt8.max
        /// In `wentTo`: dropped without a target.
        public static let discarded = UInt16.max
    }

    /// The reducing steps, one entry each in every array.
    public struct Steps: Sendable, Hashable {
        /// Layer, counted from 0.
        public internal(set) var layer: [UInt8] = []
        /// The half of the model.
        public internal(set) var place: [ReductionPlace] = []
        /// Visual tokens before.
        public internal(set) var tokensIn: [Int] = []
        /// Visual tokens after.
        public internal(set) var tokensOut: [Int] = []
        /// Time of the reduction.
        public internal(set) var seconds: [Double] = []

        /// No steps.
        public init() {}

        /// Adds a step.
        public mutating func append(layer: UInt8, place: ReductionPlace, tokensIn: Int, tokensOut: Int, seconds: Double)
        {
            self.layer.append(layer)
            self.place.append(place)
            self.tokensIn.append(tokensIn)
            self.tokensOut.append(tokensOut)
            self.seconds.append(seconds)
        }
    }

    /// The merges, one entry each in every array: `weight` of the content of `source` went to `target`.
    public struct Merges: Sendable, Hashable {
        /// Index of the step.
        public internal(set) var step: [UInt8] = []
        /// The token that left.
        public internal(set) var source: [UInt16] = []
        /// The token that took a share in.
        public internal(set) var target: [UInt16] = []
        /// The share.
        public internal(set) var weight: [Float16] = []

        /// No merges.
        public init() {}

        /// Adds a merge.
        public mutating func append(step: UInt8, source: UInt16, target: UInt16, weight: Float16) {
            self.step.append(step)
            self.source.append(source)
            self.target.append(target)
            self.weight.append(weight)
        }
    }
}

extension ResultRow {
    /// Forgets what a shard with this trace does not hold.
    public mutating func reduceTrace(to trace: StoredTrace) {
        guard trace != .full else { return }
        merges = Merges()
        tokens.score = []
        guard trace == .none else { return }
        tokens = Tokens()
        steps = Steps()
        kept = []
    }
}
