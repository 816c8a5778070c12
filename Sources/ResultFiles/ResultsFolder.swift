public import Foundation

/// The results folder of one batch: `shards/` holds sealed files, `tmp/` those that are being built.
public struct ResultsFolder: Sendable, Hashable {
    /// The folder's path.
    public let path: String

    /// Names a folder; ``prepare()`` makes it.
    public init(_ path: String) { self.path = path }

    /// Makes the folder and what a writer needs inside of it; what exists stays.
    public func prepare() throws(ResultFileError) {
        for folder in [path, "\(path)/tmp", "\(path)/shards"] {
            do {
                try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            } catch {
                throw ResultFileError(
                    .writeFailed,
                    "cannot make the folder \(folder): \(error.localizedDescription); check the path and its rights",
                    cause: error)
            }
        }
    }

    /// Throws where no shard could be written here now: makes the folder where it is missing, and a file in `tmp/` for a
    /// moment.
    public func tryWriting() throws(ResultFileError) {
        try prepare()
        var random = SystemRandomNumberGenerator()
        let id = ULID(milliseconds: UInt64(max(0, Date().timeIntervalSince1970 * 1_000)), using: &random)
        try PartFile.tryWriting(to: "\(path)/tmp/\(id).h5.part")
    }

    /// The sealed shards, as paths relative to the folder such as `shards/3f/01J….h5`, in alphabetical order.
    public func shards() throws(ResultFileError) -> [String] {
        let files = FileManager.default
        do {
            return try files.contentsOfDirectory(atPath: "\(path)/shards").flatMap { folder -> [String] in
                var isFolder: ObjCBool = false
                let inner = "shards/\(folder)"
                guard files.fileExists(atPath: "\(path)/\(inner)", isDirectory: &isFolder), isFolder.boolValue else {
                    return []
                }
                return try files.contentsOfDirectory(atPath: "\(path)/\(inner)")
                    .filter { $0.hasSuffix(".h5") }.map { "\(inner)/\($0)" }
            }.sorted()
        } catch {
            throw ResultFileError(
                .notFound,
                "\(path) is not a folder of results: it has no folder shards that can be listed; "
                    + "give the folder that holds batch.yaml", cause: error)
        }
    }

    /// Deletes files in `tmp/` that nobody has written to for a while, and returns their names.
    ///
    /// Other workers may be sealing in the same folder: a live part is seconds old. Deleting one all the same makes its
    /// writer build it again.
    public func sweepStaleParts(now: Date, olderThan age: Duration = .seconds(600)) -> [String] {
        let folder = URL(fileURLWithPath: path).appendingPathComponent("tmp")
        let files =
            (try? FileManager.default.contentsOfDirectory(
                at: folder, includingPropertiesForKeys: [.contentModificationDateKey])) ?? []
        return files.filter { file in
            guard file.pathExtension == "part",
                let written = try? file.resourceValues(forKeys: [.contentModificationDateKey]).contentModificationDate,
                now.timeIntervalSince(written) > age / .seconds(1)
            else { return false }
            return (try? FileManager.default.removeItem(at: file)) != nil
        }.map(\.lastPathComponent).sorted()
    }
}
