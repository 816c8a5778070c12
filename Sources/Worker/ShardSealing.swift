internal import JobModel
internal import ResultFiles

/// Writes the rows of one batch as a shard: closed, synced and renamed when `seal` returns.
struct ShardSealing {
    let worker: WorkerName
    let batch: BatchID
    let description: BatchDescription

    /// One attempt; a failed one leaves nothing that counts.
    func seal(_ rows: [ResultRow]) throws -> SealedShard {
        try ShardWriter(folder: description.results).seal(rows)
    }
}
