/// Values that replace those of a batch file; without a file, everything that a batch is made of.
///
/// Paths are absolute. For what is nil, the file's value counts, or else the default.
public struct BatchChanges: Sendable {
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
    private var settings: [@Sendable (inout BatchDescription) -> Void] = []

    /// No changes.
    public init() {}

    /// Gives a property that depends on no other another value; nil changes nothing.
    public mutating func set<Value: Sendable>(
        _ property: any WritableKeyPath<BatchDescription, Value> & Sendable, to value: Value?
    ) {
        guard let value else { return }
        settings.append { $0[keyPath: property] = value }
    }

    /// Gives a property that may be absent a value; nil changes nothing, and takes no value of the file away.
    public mutating func set<Value: Sendable>(
        _ property: any WritableKeyPath<BatchDescription, Value?> & Sendable, to value: Value?
    ) {
        guard let value else { return }
        settings.append { $0[keyPath: property] = value }
    }

    /// Sets the properties that `set(_:to:)` named.
    func apply(to description: inout BatchDescription) {
        for setting in settings { setting(&description) }
    }
}
