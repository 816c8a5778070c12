/// Where a shard is in a results folder: `shards/3f/01J….h5`, and `pending/01J….h5` until the coordinator takes it.
public struct ShardName: Sendable, Hashable, CustomStringConvertible {
    /// What tells it from every other shard.
    public let id: ULID

    /// The name of the shard `id`.
    public init(_ id: ULID) { self.id = id }

    /// Reads the path of a shard relative to its results folder; nil for every other file.
    public init?(path: String) {
        guard let name = Self(file: String(path.split(separator: "/").last ?? "")), name.path == path else {
            return nil
        }
        self = name
    }

    /// Reads the name of a shard's file, `01J….h5`; nil for every other.
    public init?(file: String) {
        guard file.hasSuffix(Self.suffix), let id = ULID(String(file.dropLast(Self.suffix.count))) else { return nil }
        self.id = id
    }

    /// Reads the name of a file that will become a shard, `01J….h5.part`; nil for every other.
    init?(part: String) {
        guard part.hasSuffix(Self.partSuffix) else { return nil }
        self.init(file: String(part.dropLast(Self.partSuffix.count)))
    }

    private static let suffix = ".h5"
    private static let partSuffix = ".part"

    /// The name of its file.
    public var file: String { "\(id)\(Self.suffix)" }
    /// The folder of `shards/` that it belongs into.
    public var folder: String { "shards/\(id.folder)" }
    /// Its path relative to the results folder, where its rows count.
    public var path: String { "\(folder)/\(file)" }
    /// Its path relative to the results folder while it waits for the coordinator.
    public var pendingPath: String { "pending/\(file)" }
    /// Its path relative to the results folder while it is written.
    public var partPath: String { "tmp/\(file)\(Self.partSuffix)" }
    /// ``path``.
    public var description: String { path }
}
