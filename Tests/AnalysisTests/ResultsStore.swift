import Foundation
import JobModel
import JobStore
import ResultFiles
import Testing

/// The job store beside the shards of a results folder.
struct ResultsStore {
    let batch = BatchID("demo-1")
    let url: URL
    private let folder: ResultsFolder

    init(_ tree: ResultsTree) throws {
        folder = tree.folder
        url = URL(fileURLWithPath: tree.folder.path + "/jobs.sqlite")
    }

    /// What it says.
    func results() throws -> StoredResults {
        try StoredResults(store: url, folder: folder.path, named: batch.rawValue)
    }

    /// A store in which the rows of each shard were committed, those of `ids` only.
    func commit(_ ids: [String], in shards: [SealedShard], unfinished: [String] = []) throws {
        var store = try JobStore(at: url)
        try store.openBatch(batch, description: "{}", results: folder.path, at: .now)
        let items = (ids + unfinished).map { NewItem(id: ItemID($0), images: ["x"], json: "{}") }
        let jobs = try store.add(items, to: batch).added.map(\.id)
        try store.closeBatch(batch, at: .now)
        for (id, job) in zip(ids, jobs) {
            let lease = Lease(job: job, epoch: Epoch(1))
            try store.apply([.assigned(lease, to: WorkerName("w"))], at: .now)
            guard let shard = shards.first(where: { $0.jobs.contains(id) }), let row = shard.jobs.firstIndex(of: id)
            else { continue }
            try store.add(
                ShardRecord(
                    batch: batch, path: shard.path, sha256: shard.sha256, bytes: UInt64(shard.bytes),
                    worker: WorkerName("w")))
            let commit = RowCommit(
                lease: lease, shard: shard.path, row: UInt32(row), error: nil, summary: JobSummary())
            let refused = try store.apply([.committed(commit)], at: .now)
            #expect(refused.isEmpty)
        }
        if unfinished.isEmpty { try store.apply([.batchFinished(batch)], at: .now) }
        try store.commit()
    }
}
