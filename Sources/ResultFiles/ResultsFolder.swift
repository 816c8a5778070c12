public import Foundation
internal import JobVocabulary

/// The results folder of one batch: `shards/` holds the files whose rows count, `pending/` sealed ones that the coordinator
/// has not taken yet, `tmp/` those that are being built.
public struct ResultsFolder: Sendable, Hashable {
    /// The folder's path.
    public let path: String

    /// Names a folder; ``prepare()`` makes it.
    public init(_ path: String) { self.path = path }

    /// Makes the folder and what a writer needs inside of it; what exists stays.
    public func prepare() throws(ResultFileError) {
        for folder in [path, "\(path)/\(ResultsLayout.unfinished)", "\(path)/\(ResultsLayout.shards)"] {
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

    /// Throws if no shard could be written here now: makes the folder where it is missing, and a file in `tmp/` for a
    /// moment.
    public func tryWriting() throws(ResultFileError) {
        try prepare()
        try PartFile.tryWriting(to: "\(path)/\(ShardName(.now()).partPath)")
    }

    /// The sealed shards, as paths relative to the folder such as `shards/3f/01J….h5`, in alphabetical order.
    ///
    /// Throws `unavailable` if a part of the folder cannot be listed just now: what is not in the list may be there.
    public func shards() throws(ResultFileError) -> [String] {
        guard let folders = try Self.names(in: "\(path)/\(ResultsLayout.shards)") else {
            throw ResultFileError(
                .notFound,
                "this is not a folder of results: it has no folder \(ResultsLayout.shards); give the folder that holds "
                    + ResultsLayout.batchFile, at: path)
        }
        var found: [String] = []
        for folder in folders {
            let inner = "\(ResultsLayout.shards)/\(folder)"
            for name in try Self.names(in: "\(path)/\(inner)") ?? [] where name.hasSuffix(ResultsLayout.shardSuffix) {
                found.append("\(inner)/\(name)")
            }
        }
        return found.sorted()
    }

    /// What a folder holds, but for hidden names; nil where it is absent or not a folder.
    private static func names(in folder: String) throws(ResultFileError) -> [String]? {
        guard let directory = opendir(folder) else {
            let error = ResultFileError(cannotRead: folder)
            guard error.code == .notFound else { throw error }
            return nil
        }
        defer { closedir(directory) }
        var names: [String] = []
        errno = 0
        while let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            if !name.hasPrefix(".") { names.append(name) }
            errno = 0
        }
        guard errno == 0 else { throw ResultFileError(cannotRead: folder) }
        return names
    }

    /// Deletes parts of shards in `tmp/` that nobody has written to for a while, and returns their names.
    ///
    /// Only files that bear the name of a part go: the folder may be one that other programs use as well. Other workers may
    /// be sealing in the same folder: a live part is seconds old. Deleting one all the same makes its writer build it again.
    public func sweepStaleParts(now: Date, olderThan age: Duration = .seconds(600)) -> [String] {
        let folder = URL(fileURLWithPath: path).appendingPathComponent(ResultsLayout.unfinished)
        let files =
            (try? FileManager.default.contentsOfDirectory(
                at: folder, includingPropertiesForKeys: [.contentModificationDateKey, .isRegularFileKey])) ?? []
        return files.filter { file in
            guard ShardName(part: file.lastPathComponent) != nil,
                let values = try? file.resourceValues(forKeys: [.contentModificationDateKey, .isRegularFileKey]),
                values.isRegularFile == true, let written = values.contentModificationDate,
                now.timeIntervalSince(written) > age / .seconds(1)
            else { return false }
            return (try? FileManager.default.removeItem(at: file)) != nil
        }.map(\.lastPathComponent).sorted()
    }
}
