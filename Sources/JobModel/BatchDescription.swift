public import JobVocabulary

/// What a batch asks for: the model, the method, the prompt and where results go. One `Jobs/*.yaml` file.
public struct BatchDescription: Codable, Sendable, Hashable {
    /// Arithmetic of the matrix products; `auto` is bf16 for weights in bf16 where the processor multiplies it, else f32.
    public enum Precision: String, Codable, Sendable, CaseIterable { case auto, f32, bf16 }
    /// How the weights of products are stored; `auto` is what the checkpoint holds.
    public enum Weights: String, Codable, Sendable, CaseIterable { case auto, f32, bf16, f16, int8, int4 }

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
    public var method: Method
    /// The text around the instruction.
    public var template: PromptTemplate
    /// What `<image>` in the user's text is; nil where no prompt under a template holds one.
    public var imageTag: ImageTag?
    /// How a picture becomes square; nil where nobody said so yet, and in models that take pictures as they are.
    public var imageMode: PictureFraming?
    /// Which way up a picture is read.
    public var orientation: PictureOrientation
    /// Arithmetic of the matrix products.
    public var precision: Precision
    /// How the weights of products are stored.
    public var weights: Weights
    /// How answers are generated.
    public var generation: Generation
    /// Which visual features shards hold.
    public var features: Features
    /// How much shards hold of what became of each visual token.
    public var trace: StoredTrace
    /// How it is queued, which does not change its results.
    public var queue: QueueOptions
    /// The token by which workers know the results folder (``ResultsToken``); nil until a coordinator has made one.
    public var resultsToken: String?

    /// A description; what is left out has the default that a batch file has.
    public init(
        name: String, model: String, visionTower: String? = nil, items: String, images: String,
        prompt: String? = nil, results: String,
        method: Method = Method(), template: PromptTemplate = .vicunaV1, imageTag: ImageTag? = nil,
        imageMode: PictureFraming? = nil, orientation: PictureOrientation = .exif,
        precision: Precision = .auto, weights: Weights = .auto, generation: Generation = Generation(),
        features: Features = .projected,
        trace: StoredTrace = .full, queue: QueueOptions = QueueOptions()
    ) {
        self.name = name
        self.model = model
        self.visionTower = visionTower
        self.items = items
        self.images = images
        self.prompt = prompt
        self.results = results
        self.method = method
        self.template = template
        self.imageTag = imageTag
        self.imageMode = imageMode
        self.orientation = orientation
        self.precision = precision
        self.weights = weights
        self.generation = generation
        self.features = features
        self.trace = trace
        self.queue = queue
    }

    /// Reads a description; one from before there were options of the queue has the default ones.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: CodingKeys.self)
        name = try container.decode(String.self, forKey: .name)
        model = try container.decode(String.self, forKey: .model)
        visionTower = try container.decodeIfPresent(String.self, forKey: .visionTower)
        items = try container.decode(String.self, forKey: .items)
        images = try container.decode(String.self, forKey: .images)
        prompt = try container.decodeIfPresent(String.self, forKey: .prompt)
        results = try container.decode(String.self, forKey: .results)
        method = try container.decode(Method.self, forKey: .method)
        template = try container.decode(PromptTemplate.self, forKey: .template)
        imageTag = try container.decodeIfPresent(ImageTag.self, forKey: .imageTag)
        imageMode = try container.decodeIfPresent(PictureFraming.self, forKey: .imageMode)
        // A description that does not say it comes from a version that never turned a picture.
        orientation = try container.decodeIfPresent(PictureOrientation.self, forKey: .orientation) ?? .asStored
        precision = try container.decode(Precision.self, forKey: .precision)
        weights = try container.decodeIfPresent(Weights.self, forKey: .weights) ?? .auto
        generation = try container.decode(Generation.self, forKey: .generation)
        // Once it was whether to store what entered the decoder.
        features =
            try (try? container.decode(Bool.self, forKey: .features)).map { $0 ? .projected : .none }
            ?? container.decode(Features.self, forKey: .features)
        trace = try container.decodeIfPresent(StoredTrace.self, forKey: .trace) ?? .full
        queue = try container.decodeIfPresent(QueueOptions.self, forKey: .queue) ?? QueueOptions()
        resultsToken = try container.decodeIfPresent(String.self, forKey: .resultsToken)
    }

    /// What would make results differ from those of another description, as `model: a → b`; its results, its items and
    /// how it is queued do not count.
    public func differences(from other: BatchDescription) -> [String] {
        func compare<Value: Equatable>(_ name: String, _ value: (BatchDescription) -> Value?) -> String? {
            let (old, new) = (value(other), value(self))
            return old == new ? nil : "\(name): \(old.map { "\($0)" } ?? "none") → \(new.map { "\($0)" } ?? "none")"
        }
        return [
            compare("model") { $0.model }, compare("vision_tower") { $0.visionTower }, compare("images") { $0.images },
            compare("method.name") { $0.method.name }, compare("method.keep") { $0.method.keep },
            compare("method.from_layer") { $0.method.fromLayer }, compare("method") { $0.method.options },
            compare("template") { $0.template }, compare("image_tag") { $0.imageTag },
            compare("image_mode") { $0.imageMode }, compare("orientation") { $0.orientation.rawValue },
            compare("precision") { $0.precision }, compare("weights") { $0.weights },
            compare("generation.max_tokens") { $0.generation.maxTokens },
            compare("generation.temperature") { $0.generation.temperature },
            compare("generation.top_p") { $0.generation.topP }, compare("generation.seed") { $0.generation.seed },
            compare("generation.stop") { $0.generation.stop }, compare("features") { $0.features },
            compare("trace") { $0.trace },
        ].compactMap(\.self)
    }
}
