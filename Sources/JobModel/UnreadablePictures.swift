/// Pictures of a batch that are there and cannot be read, as far as their beginnings tell: their items will fail.
public struct UnreadablePictures: Sendable, Hashable {
    /// The pictures of a batch that are looked at, in the order of the items; a look reads up to 64 KiB, and rarely more.
    public static let mostExamined = 10_000
    private static let mostExamples = 5

    /// The number of pictures.
    public private(set) var pictures = 0
    /// The number of items about one of them.
    public internal(set) var items = 0
    /// Whether there are more pictures than were looked at.
    public internal(set) var isPartial = false
    /// The first few, as items name them, each with what is wrong and what to do.
    public private(set) var examples: [String] = []

    /// None.
    public init() {}

    mutating func add(_ image: String, _ reason: String) {
        pictures += 1
        if examples.count < Self.mostExamples { examples.append("\(image): \(reason)") }
    }
}
