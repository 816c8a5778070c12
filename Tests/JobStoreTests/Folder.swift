import Foundation
import JobModel
import JobStore
import TestSupport

let batch = BatchID("demo")
let ann = WorkerName("ann")
let now = Date(timeIntervalSince1970: 1_000_000)
let shard = ShardRecord(batch: batch, path: "shards/00/a.h5", sha256: [1, 2], bytes: 9, worker: ann)

func lease(_ job: JobID, _ epoch: UInt64) -> Lease { Lease(job: job, epoch: Epoch(epoch)) }
let lost = AttemptEnd(worker: ann, reason: "worker ann was lost")
func item(_ id: String) -> NewItem {
    NewItem(id: ItemID(id), images: ["\(id).jpg"], json: #"{"id":"\#(id)"}"#)
}
func row(_ lease: Lease, _ row: UInt32 = 0, shard: String = shard.path, error: String? = nil) -> JobTransition {
    let summary = JobSummary(answer: "yes\n'no'", visualTokens: 192, seconds: 1.5)
    return .committed(RowCommit(lease: lease, shard: shard, row: row, error: error, summary: summary))
}

/// A folder with a store that is opened for one piece of work at a time.
struct Folder {
    let directory: TemporaryDirectory
    var url: URL { directory.file("state/jobs.sqlite") }

    init() throws { directory = try TemporaryDirectory() }

    func opened<Result>(_ work: (inout JobStore) throws -> Result) throws -> Result {
        var store = try JobStore(at: url)
        return try work(&store)
    }

    /// A closed batch with these items; returns their jobs.
    func submit(_ items: [String]) throws -> [JobID] {
        try opened { store in
            try store.openBatch(batch, description: "{}", results: "/r", at: now)
            let jobs = try store.add(items.map(item), to: batch).added.map(\.id)
            try store.closeBatch(batch, at: now)
            try store.add(shard)
            try store.commit()
            return jobs
        }
    }

    func states() throws -> [JobState] {
        try opened { try $0.items(of: batch, after: 0, limit: 100).map(\.state) }
    }
}
