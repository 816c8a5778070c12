public import JobVocabulary

/// What somebody wants otherwise than a batch file says; without a file, all that the batch is made of.
///
/// Paths are absolute. What is nil stays as the file, or the default, has it.
public struct BatchChanges: Sendable, Hashable {
    /// What is wanted of the reduction.
    public struct Method: Sendable, Hashable {
        /// Another method, which takes nothing over from the file's; nil changes the file's.
        public var name: String?
        /// Visual tokens to keep.
        public var keep: Int?
        /// First layer that reduces.
        public var fromLayer: Int?
        /// Options by name; in the file's method they stand in the place of its own.
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
    /// The folder that image paths start from. Where neither these changes nor the file name a file of items, its pictures are
    /// the items.
    public var images: String?
    /// The prompt of items that have none.
    public var prompt: String?
    /// The reduction.
    public var method = Method()
    /// The text around the prompt.
    public var template: PromptTemplate?
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
