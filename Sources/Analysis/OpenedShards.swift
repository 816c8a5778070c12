internal import ResultFiles

/// Shards of a results folder that were opened, each hashed once however often it is asked for.
final class OpenedShards {
    private let folder: ResultsFolder
    private var readers: [String: ShardReader] = [:]

    init(_ folder: ResultsFolder) { self.folder = folder }

    /// The shard at a path relative to the folder.
    func reader(_ path: String) throws(ResultFileError) -> ShardReader {
        if let known = readers[path] { return known }
        let reader = try ShardReader("\(folder.path)/\(path)")
        readers[path] = reader
        return reader
    }
}
