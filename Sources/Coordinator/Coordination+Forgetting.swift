internal import JobModel
internal import JobStore
internal import Logging
internal import Scheduling
internal import WireProtocol

/// Taking ended batches out of all that the coordinator knows.
extension Coordination {
    /// Time for messages between two pieces that are removed from the store.
    private static let tidyingPause = Duration.milliseconds(50)
    /// How long names of workers that are gone may wait to be removed from the store: one look through all jobs serves many.
    private static let namesPause = Duration.seconds(60)

    /// Forgets a batch that has ended: its name is free again, and its results folder stays as it is.
    mutating func forget(_ request: WireForgetRequest) throws -> WireForgetAnswer {
        let id = try known(request.batch)
        try store.forget(id)
        var answer = WireForgetAnswer()
        answer.jobs = scheduler.batch(id)?.counts.total ?? 0
        answer.results = records[id]?.description.results ?? ""
        scheduler.batchForgotten(id)
        metrics.forget(id)
        records[id] = nil
        // A later batch of this name asks for something else.
        for peer in peers.keys { peers[peer]?.knownBatches.remove(id) }
        nextTidying = now
        logger.info("batch forgotten", metadata: [LogKey.batch: "\(id)", LogKey.jobs: "\(answer.jobs)"])
        return answer
    }

    /// Lets the name of a worker that is gone go from the store as well.
    mutating func noteForgottenWorker() {
        store.workersForgotten()
        nextTidying = nextTidying ?? now + Self.namesPause
    }

    /// Removes a piece of what forgotten batches and workers left in the store, when one is due.
    mutating func tidyUp() throws {
        guard storeHealth.isSound, let due = nextTidying, now >= due else { return }
        nextTidying = try store.tidyUp() ? now + Self.tidyingPause : nil
    }
}
