internal import Foundation
internal import JobModel
internal import ResultFiles
internal import WireProtocol

extension WireShardReport {
    /// Writes a shard of some rows of this report's shard and returns its report, where rows have their new places.
    ///
    /// A shard counts as a whole or not at all, so that whoever opens one need not ask which of its rows count.
    func rewritten(keeping jobs: Set<UInt64>) throws -> WireShardReport {
        let folder = ResultsFolder(results)
        guard let name = ShardName(path: shard) else {
            throw WorkerError(.spool, "'\(shard)' is not the name of a shard")
        }
        let reader = try ShardReader(ownFile: "\(results)/\(name.pendingPath)")
        let all = try reader.rows()
        let kept = rows.filter { jobs.contains($0.lease.job) && all.indices.contains(Int($0.row)) }
        var writer = ShardWriter(folder: folder, header: reader.header)
        for row in kept { try writer.add(all[Int(row.row)], at: .now) }
        try folder.prepare()
        let sealed = try writer.seal(as: .now(), into: .pending)
        var report = self
        report.shard = sealed.path
        report.sha256 = Data(sealed.sha256)
        report.bytes = UInt64(clamping: sealed.bytes)
        report.rows = kept
        for index in report.rows.indices { report.rows[index].row = UInt32(clamping: index) }
        return report
    }
}
