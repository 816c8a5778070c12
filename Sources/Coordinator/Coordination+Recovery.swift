internal import Foundation
internal import JobModel
internal import JobStore
internal import Logging
internal import Scheduling
internal import WireProtocol

extension Coordination {
    /// How long to wait before the disk is tried again.
    private static let probePause = Duration.seconds(1)

    /// Takes up the batches of an earlier run.
    mutating func recover() throws {
        // Batches may have been forgotten before the last end, and their rows be left.
        nextTidying = now
        for batch in try store.batches() {
            let description = try BatchDescription(json: batch.description)
            records[batch.id] = BatchRecord(
                json: batch.description, description: description, modelFingerprint: batch.modelFingerprint,
                closedAt: batch.closedAt, finishedAt: batch.finishedAt, reason: batch.reason)
            var ended = batch.counts
            ended[.waiting] = 0
            ended[.running] = 0
            scheduler.batchOpened(
                batch.id, state: batch.state, ended: ended, options: description.queue, isPaused: batch.isPaused)
            guard !batch.state.isFinal else { continue }
            if let reason = try settleShards(of: batch.id) { noteHindrance(reason, of: batch.id) }
            if description.queue.timeout != nil || description.queue.secondRuns {
                scheduler.durationsKnown(try store.lastDurations(of: batch.id, limit: 1_000), of: batch.id)
            }
            var last = JobID(0)
            while true {
                let page = try store.unfinishedJobs(of: batch.id, after: last, limit: 10_000)
                guard let end = page.last else { break }
                last = end.id
                let jobs = page.map {
                    NewJob(
                        id: $0.id, image: $0.picture.rawValue, epoch: $0.epoch, losses: $0.losses,
                        failures: $0.failures, wasRunning: $0.wasRunning, worker: $0.worker, rival: $0.rival)
                }
                try perform(scheduler.jobsAdded(jobs, to: batch.id, at: now))
            }
            // A coordinator that ended between the last job of a batch and the batch itself leaves it to the next one.
            if storeHealth.isSound { try perform(scheduler.batchResumed(batch.id, at: now)) }
            logger.info(
                "took up a batch",
                metadata: [LogKey.batch: "\(batch.id)", LogKey.jobs: "\(batch.counts.unfinished)"])
        }
    }

    /// The disk failed in the middle of a group: nothing of it counts and nothing of it is acknowledged. What is known is
    /// read anew from the store, and until the disk works again only questions are answered.
    mutating func storeFailed(_ error: JobStoreError) throws {
        store.rollback()
        if error.code == .syncFailed {
            // The changes may be on the disk all the same: each shard keeps its mark, and the next start asks the store.
            published = []
        } else {
            withdrawPublished()
        }
        if storeHealth.isSound {
            logger.critical("the job store takes no changes", metadata: [LogKey.reason: "\(error)"])
        }
        storeHealth = StoreHealth(trouble: error.message, since: wallClock)
        nextProbe = error.code == .syncFailed ? nil : now + Self.probePause
        let unanswered = outgoing.filter { $0.port == .clients } + [answering].compactMap(\.self)
        outgoing = []
        answering = nil
        try startAnew()
        for message in unanswered {
            var answer = WireToClient()
            answer.request = message.request
            answer.refusal = storeRefusal
            queue(answer, .clients, message.peer, request: message.request)
        }
    }

    /// Tries whether the disk works again; then workers are asked what they hold, and everything goes on.
    mutating func probeStore() throws {
        guard let due = nextProbe, now >= due else { return }
        do {
            try store.probe()
        } catch {
            store.rollback()
            nextProbe = now + Self.probePause
            return
        }
        logger.notice("the job store takes changes again")
        storeHealth = .sound(since: wallClock)
        nextProbe = nil
        try startAnew()
    }

    /// What a request is answered that would change something while nothing can be changed.
    var storeRefusal: WireRefusal {
        WireRefusal(
            code: "store-unavailable",
            message: "Nothing was changed. \(storeHealth.trouble ?? "") The coordinator then goes on by itself.")
    }

    /// Forgets everything that is not in the store, workers included; they say hello again and keep what they hold.
    private mutating func startAnew() throws {
        scheduler = Scheduler(settings: configuration.scheduling, at: now, seed: .random(in: 0...UInt64.max))
        records = [:]
        peers = [:]
        peerOf = [:]
        originOf = [:]
        try recover()
    }
}
