internal import ResultFiles

/// Shards of a results folder that were opened, each hashed once however often it is asked for.
final class OpenedShards {
    private let folder: ResultsFolder
    private let parts: FileExamination.Parts
    private var readers: [String: ShardReader] = [:]

    /// - Parameter parts: What is going to be read of them.
    init(_ folder: ResultsFolder, reading parts: FileExamination.Parts) {
        self.folder = folder
        self.parts = parts
    }

    /// The shard at a path relative to the folder.
    func reader(_ path: String) throws(ResultFileError) -> ShardReader {
        if let known = readers[path] { return known }
        let reader = try ShardReader("\(folder.path)/\(path)", reading: parts)
        readers[path] = reader
        return reader
    }
}
