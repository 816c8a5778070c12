public import JobVocabulary

/// What all rows of a shard share; the attributes of its file.
public struct ShardHeader: Sendable, Hashable {
    /// The features that a shard holds.
    public struct Features: Sendable, Hashable {
        /// Numbers of one token.
        public var width: Int
        /// The layer of the vision tower they come from, as the model's configuration numbers it.
        public var layer: Int
        /// The space of the features, such as "decoder input".
        public var space: String

        /// Describes the features of a shard.
        public init(width: Int, layer: Int, space: String) {
            self.width = width
            self.layer = layer
            self.space = space
        }
    }

    /// The batch.
    public var batch: String
    /// The worker that wrote the shard.
    public var worker: String
    /// The checkpoint.
    public var model: String
    /// The SHA-256 of its weights in hexadecimal.
    public var modelSHA256: String
    /// The method with every parameter, as JSON.
    public var methodJSON: String
    /// How answers are generated, as JSON.
    public var generationJSON: String
    /// Program and version.
    public var software: String
    /// The machine that wrote the shard; empty where it is not known.
    public var host = ""
    /// The processor of that machine; empty where it is not known.
    public var processor = ""
    /// The names that rows may have as their method, in the order of the catalogue; at most 256.
    public var methods: [String]
    /// The features that rows carry; nil if none do.
    public var features: Features?
    /// How much rows say about what became of each visual token.
    public var trace: StoredTrace

    /// Describes a shard.
    public init(
        batch: String, worker: String, model: String, modelSHA256: String, methodJSON: String, generationJSON: String,
        software: String, methods: [String], features: Features? = nil, trace: StoredTrace = .full
    ) {
        self.batch = batch
        self.worker = worker
        self.model = model
        self.modelSHA256 = modelSHA256
        self.methodJSON = methodJSON
        self.generationJSON = generationJSON
        self.software = software
        self.methods = methods
        self.features = features
        self.trace = trace
    }
}
