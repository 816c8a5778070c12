public import JobVocabulary

/// What a batch asks for: the model, the method, the prompt and where results go. One `Jobs/*.yaml` file.
public struct BatchDescription: Codable, Sendable, Hashable {
    /// Arithmetic of the matrix products; `auto` is bf16 for weights in bf16 where the processor multiplies it, else f32.
    public enum Precision: String, Codable, Sendable, CaseIterable { case auto, f32, bf16 }
    /// How the weights of products are stored; `auto` is what the checkpoint holds.
    public enum Weights: String, Codable, Sendable, CaseIterable { case auto, f32, bf16, f16, int8, w8a8, int4 }

    /// A reduction by name, its budget and options that differ from the documented defaults.
    public struct Method: Codable, Sendable, Hashable {
        /// The method's name in the catalogue; `none` reduces nothing.
        public var name: String
        /// Visual tokens that reach the decoder (encoder methods) or its end (decoder methods); nil for `none`.
        public var keep: Int?
        /// First layer that reduces; nil lets it scale with the depth of the model.
        public var fromLayer: Int?
        /// Stage options such as `axis: column`, by name.
        public var options: [String: String]

        /// A method; by default the one that reduces nothing.
        public init(name: String = "none", keep: Int? = nil, fromLayer: Int? = nil, options: [String: String] = [:]) {
            self.name = name
            self.keep = keep
            self.fromLayer = fromLayer
            self.options = options
        }

        /// The method in a line, such as `ficoco-v, 64 tokens, axis: row`.
        public var summary: String {
            ([name] + [keep.map { "\($0) tokens" }, fromLayer.map { "from layer \($0)" }].compactMap(\.self)
                + options.sorted { $0.key < $1.key }.map { "\($0.key): \($0.value)" }).joined(separator: ", ")
        }
    }

    /// How an answer is generated.
    public struct Generation: Codable, Sendable, Hashable {
        /// Most tokens of an answer; an item may ask for another number.
        public var maxTokens: Int
        /// 0 is greedy.
        public var temperature: Double
        /// Share of the probability that sampling draws from, above 0 and at most 1.
        public var topP: Double
        /// Seed of the sampling.
        public var seed: UInt64
        /// Texts that end an answer, besides the end-of-sequence token.
        public var stop: [String]

        /// Greedy answers of at most 64 tokens unless told otherwise.
        public init(
            maxTokens: Int = 64, temperature: Double = 0, topP: Double = 1, seed: UInt64 = 0, stop: [String] = []
        ) {
            self.maxTokens = maxTokens
            self.temperature = temperature
            self.topP = topP
            self.seed = seed
            self.stop = stop
        }
    }

    /// How `winnow run` starts workers on its machine.
    public struct Run: Codable, Sendable, Hashable {
        /// Worker processes.
        public var workers: Int
        /// Compute threads of each; nil shares the processors out.
        public var threads: Int?

        /// One worker with all processors unless told otherwise.
        public init(workers: Int = 1, threads: Int? = nil) {
            self.workers = workers
            self.threads = threads
        }
    }

    /// The batch's name; also the default name of its results folder.
    public var name: String
    /// Checkpoint folder, absolute.
    public var model: String
    /// Vision tower folder where the checkpoint has none of its own (original LLaVA layout), absolute.
    public var visionTower: String?
    /// What the items are read from, absolute: a folder of pictures, a CSV file or JSON lines (``ItemSource``).
    public var items: String
    /// Folder that relative image paths start from, absolute.
    public var images: String
    /// The prompt of items that have none; nil if every item has its own.
    public var prompt: String?
    /// Results folder of this batch, absolute.
    public var results: String
    /// The reduction.
    public var method = Method()
    /// The text around the instruction.
    public var template = PromptTemplate.vicunaV1
    /// What `<image>` in the user's text is; nil if no prompt under a template holds one.
    public var imageTag: ImageTag?
    /// How a picture becomes square; nil if nobody said so yet, and in models that take pictures as they are.
    public var imageMode: PictureFraming?
    /// Which way up a picture is read.
    public var orientation = PictureOrientation.exif
    /// Arithmetic of the matrix products.
    public var precision = Precision.auto
    /// How the weights of products are stored.
    public var weights = Weights.auto
    /// How answers are generated.
    public var generation = Generation()
    /// Which visual features shards hold.
    public var features = Features.projected
    /// How much shards hold of what became of each visual token.
    public var trace = StoredTrace.full
    /// How it is queued, which does not change its results.
    public var queue = QueueOptions()
    /// How `winnow run` starts workers, which does not change its results.
    public var run = Run()
    /// The token by which workers know the results folder (``ResultsToken``); nil until a coordinator has made one.
    public var resultsToken: String?

    /// A description; all else has the default that it has in a batch file.
    public init(name: String, model: String, items: String, images: String, results: String) {
        self.name = name
        self.model = model
        self.items = items
        self.images = images
        self.results = results
    }
}
