public import JobVocabulary

/// Values that take the place of a batch file's; without a file, everything that a batch is made of.
///
/// Paths are absolute. For what is nil, the file's value counts, or else the default.
public struct BatchChanges: Sendable, Hashable {
    /// Changes to the reduction method.
    public struct Method: Sendable, Hashable {
        /// Another method, which ignores all of the file's; nil changes options of the file's method.
        public var name: String?
        /// Visual tokens to keep.
        public var keep: Int?
        /// First layer that reduces.
        public var fromLayer: Int?
        /// Options by name; those of the file's method that have no value here stay.
        public var options: [String: String]

        /// Changes of the method; none by default.
        public init(
            name: String? = nil, keep: Int? = nil, fromLayer: Int? = nil, options: [String: String] = [:]
        ) {
            self.name = name
            self.keep = keep
            self.fromLayer = fromLayer
            self.options = options
        }
    }

    /// The batch's name.
    public var name: String?
    /// A checkpoint folder; the file need not name one then.
    public var model: String?
    /// The folder of the CLIP model.
    public var visionTower: String?
    /// What the items are read from.
    public var items: String?
    /// The folder that image paths start from. If neither these changes nor the file name a file of items, the pictures in it
    /// are the items.
    public var images: String?
    /// The prompt of items that have none.
    public var prompt: String?
    /// The reduction.
    public var method = Method()
    /// The text around the prompt.
    public var template: PromptTemplate?
    /// What `<image>` in a prompt is.
    public var imageTag: ImageTag?
    /// How a picture becomes square.
    public var imageMode: PictureFraming?
    /// Which way up a picture is read.
    public var orientation: PictureOrientation?
    /// How weights are kept.
    public var weights: BatchDescription.Weights?
    /// Visual features to store.
    public var features: BatchDescription.Features?
    /// What to store of each visual token.
    public var trace: StoredTrace?
    /// Most tokens of an answer.
    public var maxTokens: Int?
    /// 0 is greedy.
    public var temperature: Double?

    /// No changes.
    public init() {}
}
