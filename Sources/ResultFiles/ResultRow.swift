public import JobVocabulary

/// One finished job: everything a shard holds about it.
///
/// Visual tokens are numbered through the pictures, their tiles and the patches of each tile, as ``Segments`` says, and keep
/// their numbers whatever happens to others. A failed job has its `error` and no tokens; a text-only job has no
/// pictures, segments and visual tokens.
public struct ResultRow: Sendable, Hashable {
    /// The item's id.
    public var id: String
    /// The pictures, in the order of the prompt; (pictures) each.
    public var pictures: Pictures
    /// What the model saw of each picture; (segments) each.
    public var segments = Segments()
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
    /// Visual tokens before any reduction, those included that show padding alone.
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
    /// Accepted answers of the item as a JSON list; empty if it has none.
    public var expectedAnswers = ""
    /// Labels of the item as a JSON object; empty if it has none.
    public var labels = ""
    /// Largest resident memory of the worker so far, in bytes.
    public var peakBytes = 0
    /// 1 if all visual features had been computed for other jobs of the same pictures and reduction, else 0.
    public var reusedFeatures: UInt8 = 0
    /// 1 if the prompt up to the last picture's end had been read for another job, else 0.
    public var reusedPrefix: UInt8 = 0
    /// 1 if the answer is one that the item accepts, 0 where it is another, -1 if it names none.
    public var correct: Int8 = -1
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
    public init(id: String, images: [String], prompt: String, method: String, attempt: UInt64) {
        self.id = id
        pictures = Pictures(images)
        self.prompt = prompt
        self.method = method
        self.attempt = attempt
    }

    /// Bytes that the row takes in memory, and nearly so in a shard.
    var byteCount: Int {
        let text =
            id.utf8.count + prompt.utf8.count + answer.utf8.count + error.utf8.count + expectedAnswers.utf8.count
            + labels.utf8.count + (pictures.image + pictures.notes).reduce(0) { $0 + $1.utf8.count }
        return 512 + text + 80 * pictures.count + 42 * segments.count + 5 * tokens.leftAt.count + 26 * steps.layer.count
            + 2 * kept.count
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

        /// The whole path through the model.
        public var total: Double { vision + projector + prefill + decode }

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

    /// The pictures that a job is about, one entry each in every array.
    public struct Pictures: Sendable, Hashable {
        /// The picture, as the item names it.
        public internal(set) var image: [String]
        /// The SHA-256 of the file in hexadecimal; empty if it could not be read.
        public internal(set) var sha256: [String]
        /// What was wrong with the file though every pixel was there; empty if nothing was.
        public internal(set) var notes: [String]
        /// Columns of the picture as decoded; 0 if it could not be read.
        public internal(set) var width: [Int]
        /// Rows of the picture as decoded; 0 if it could not be read.
        public internal(set) var height: [Int]
        /// The EXIF orientation, 1 to 8, that the picture was turned by; 1 if it was read as its file stores it.
        public internal(set) var orientation: [UInt8]

        /// Pictures of which only the names are known.
        public init(_ images: [String]) {
            image = images
            sha256 = images.map { _ in "" }
            notes = sha256
            width = images.map { _ in 0 }
            height = width
            orientation = images.map { _ in 1 }
        }

        /// Notes what was found in the file of picture `index`.
        public mutating func describe(
            _ index: Int, sha256: String, notes: String = "", width: Int, height: Int, orientation: UInt8 = 1
        ) {
            self.sha256[index] = sha256
            self.notes[index] = notes
            self.width[index] = width
            self.height[index] = height
            self.orientation[index] = orientation
        }

        /// How many there are.
        public var count: Int { image.count }
        /// Whether there is none.
        public var isEmpty: Bool { image.isEmpty }
        /// All of their names, one a line.
        public var names: String { image.joined(separator: "\n") }
    }

    /// The tiles that the model saw of the pictures, one entry each in every array; LLaVA-1.5 takes a picture as one tile.
    ///
    /// The patches of a tile are `rows` by `columns` equal parts of a window of the picture, in raster order from `firstToken`
    /// on. A window may reach beyond the picture where that was filled up.
    public struct Segments: Sendable, Hashable {
        /// Which of the job's pictures.
        public internal(set) var picture: [UInt16] = []
        /// Which tile of that picture.
        public internal(set) var tile: [UInt16] = []
        /// Patches from top to bottom.
        public internal(set) var rows: [UInt16] = []
        /// Patches from left to right.
        public internal(set) var columns: [UInt16] = []
        /// The number of the first patch among the job's visual tokens.
        public internal(set) var firstToken: [UInt16] = []
        /// Left edge of the window, in pixels of the picture as decoded.
        public internal(set) var left: [Double] = []
        /// Upper edge of the window, in pixels of the picture as decoded.
        public internal(set) var top: [Double] = []
        /// Width of the window, in pixels of the picture as decoded.
        public internal(set) var width: [Double] = []
        /// Height of the window, in pixels of the picture as decoded.
        public internal(set) var height: [Double] = []

        /// No segments.
        public init() {}

        /// Adds a tile, whose patches are numbered behind those of the tiles before it.
        public mutating func append(
            picture: Int, tile: Int, rows: Int, columns: Int, left: Double, top: Double, width: Double, height: Double
        ) {
            firstToken.append(UInt16(clamping: tokens))
            self.picture.append(UInt16(clamping: picture))
            self.tile.append(UInt16(clamping: tile))
            self.rows.append(UInt16(clamping: rows))
            self.columns.append(UInt16(clamping: columns))
            self.left.append(left)
            self.top.append(top)
            self.width.append(width)
            self.height.append(height)
        }

        /// How many there are.
        public var count: Int { picture.count }
        /// Patches of all of them.
        public var tokens: Int { zip(rows, columns).reduce(0) { $0 + Int($1.0) * Int($1.1) } }
        /// The visual tokens of segment `index`.
        public func tokens(of index: Int) -> Range<Int> {
            let first = Int(firstToken[index])
            return first..<first + Int(rows[index]) * Int(columns[index])
        }
    }

    /// What became of each original visual token.
    public struct Tokens: Sendable, Hashable {
        /// The step at which the token left; 255 if it survived, 254 if it shows padding alone and never entered the language
        /// model.
        public var leftAt: [UInt8] = []
        /// The token that most of its content went to; 65,535 if it was discarded.
        public var wentTo: [UInt16] = []
        /// The last score the token was given.
        public var score: [Float16] = []

        /// No tokens.
        public init() {}

        /// In `leftAt`: still there.
        public static let survived = UInt8.max
        /// In `leftAt`: shows padding alone and never entered the language model; no step took it.
        public static let leftOut = UInt8.max - 1

        /// Whether a token is there after a step.
        public func isThere(_ token: Int, after step: Int) -> Bool {
            leftAt[token] != Self.leftOut && Int(leftAt[token]) > step
        }
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
