internal import Foundation

/// A sealed shard of which no row counts: it leaves the folder of results, so that no reader meets its rows.
///
/// It is moved and not deleted, since whether its rows count was the decision of another process.
enum SupersededShard {
    /// Moves `results/shards/ab/x.h5` to `results/superseded/x.h5`.
    static func setAside(_ shard: String, in results: String) throws {
        let root = URL(fileURLWithPath: results)
        let folder = root.appendingPathComponent("superseded")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = root.appendingPathComponent(shard)
        try FileManager.default.moveItem(at: file, to: folder.appendingPathComponent(file.lastPathComponent))
    }
}
