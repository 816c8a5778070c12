internal import Foundation
internal import JobVocabulary
internal import ResultFiles

/// A sealed shard that the coordinator does not take.
///
/// It is moved and not deleted, since whether its rows count was the decision of another process.
enum SupersededShard {
    /// Moves a shard that waits in `results/pending/` to `results/superseded/`; one that is not there stays where it is.
    static func setAside(_ shard: String, in results: String) throws {
        guard let name = ShardName(path: shard) else { return }
        let root = URL(fileURLWithPath: results)
        let file = root.appendingPathComponent(name.pendingPath)
        guard FileManager.default.fileExists(atPath: file.path) else { return }
        let folder = root.appendingPathComponent(ResultsLayout.superseded)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try FileManager.default.moveItem(at: file, to: folder.appendingPathComponent(file.lastPathComponent))
    }
}
