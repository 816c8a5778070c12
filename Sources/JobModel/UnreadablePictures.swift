/// Pictures of a batch that are there and cannot be read, as far as their beginnings tell: their items will fail.
public struct UnreadablePictures: Sendable, Hashable {
    /// The pictures of a batch that are looked at, in the order of the items; a look reads up to 64 KiB, and rarely more.
    public static let mostExamined = 10_000
    private static let mostReasons = 8
    private static let mostNames = 3

    /// Pictures with which the same is wrong.
    private struct Group: Hashable {
        let reason: String
        var count = 0
        var names: [String] = []
    }

    /// The number of pictures.
    public private(set) var pictures = 0
    /// The number of items about one of them.
    public internal(set) var items = 0
    /// Whether there are more pictures than were looked at.
    public internal(set) var isPartial = false
    private var groups: [Group] = []

    /// Nothing found yet: every picture can be read.
    public init() {}

    /// What is wrong and what to do, a line for each of the first reasons, with the first pictures as items name them and how
    /// many more there are.
    public var reasons: [String] {
        let lines = groups.map { group in
            let more = group.count - group.names.count
            return "\(group.reason): " + group.names.joined(separator: ", ") + (more > 0 ? " and \(more) more" : "")
        }
        let more = pictures - groups.reduce(0) { $0 + $1.count }
        return more > 0 ? lines + ["and \(more) more"] : lines
    }

    mutating func add(_ image: String, _ reason: String) {
        pictures += 1
        let known = groups.firstIndex { $0.reason == reason }
        if known == nil {
            guard groups.count < Self.mostReasons else { return }
            groups.append(Group(reason: reason))
        }
        let place = known ?? groups.count - 1
        groups[place].count += 1
        if groups[place].names.count < Self.mostNames { groups[place].names.append(image) }
    }
}
