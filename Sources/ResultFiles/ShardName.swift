internal import JobVocabulary

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
        guard file.hasSuffix(ResultsLayout.shardSuffix),
            let id = ULID(String(file.dropLast(ResultsLayout.shardSuffix.count)))
        else { return nil }
        self.id = id
    }

    /// Reads the name of a file that will become a shard, `01J….h5.part`; nil for every other.
    init?(part: String) {
        guard part.hasSuffix(ResultsLayout.partSuffix) else { return nil }
        self.init(file: String(part.dropLast(ResultsLayout.partSuffix.count)))
    }

    /// The name of its file.
    public var file: String { "\(id)\(ResultsLayout.shardSuffix)" }
    /// The folder of `shards/` that it belongs into.
    public var folder: String { "\(ResultsLayout.shards)/\(id.folder)" }
    /// Its path relative to the results folder, where its rows count.
    public var path: String { "\(folder)/\(file)" }
    /// Its path relative to the results folder while it waits for the coordinator.
    public var pendingPath: String { "\(ResultsLayout.pending)/\(file)" }
    /// Its path relative to the results folder while it is written.
    public var partPath: String { "\(ResultsLayout.unfinished)/\(file)\(ResultsLayout.partSuffix)" }
    /// ``path``.
    public var description: String { path }
}
