internal import Foundation
internal import JobModel
internal import JobStore
internal import JobVocabulary
internal import Monitoring
internal import Scheduling
internal import WireProtocol

/// Requests that change nothing.
extension Coordination {
    /// Bytes after which a page of an answer ends: far below what a message may have.
    private static let pageBytes = 4 << 20

    /// A page of the status: of one batch, or all where the name is empty, then of the workers.
    borrowing func status(_ request: WireStatusRequest) throws -> WireStatusAnswer {
        let name = request.batch
        let views = name.isEmpty ? scheduler.allBatches() : [scheduler.batch(try known(name))].compactMap { $0 }
        var answer = WireStatusAnswer()
        answer.present = UInt32(clamping: scheduler.presentCount)
        var bytes = 0
        for view in views.dropFirst(Int(clamping: request.afterBatches)) {
            guard bytes < Self.pageBytes else {
                answer.more = true
                return answer
            }
            var status = WireBatchStatus(view)
            if let record = records[view.id] {
                status.elapsedSeconds = record.elapsed(at: wallClock)
                status.results = record.description.results
                status.reason = record.reason ?? ""
                if status.trouble.isEmpty { status.trouble = record.hindrance ?? "" }
            }
            status.jobsPerSecond = metrics.endedOfBatch[view.id]?.rate(at: CoordinatorMetrics.seconds(now)) ?? 0
            bytes += status.size
            answer.batches.append(status)
        }
        guard !request.batchesOnly else { return answer }
        for view in scheduler.allWorkers(at: now) where view.name.rawValue > request.afterWorker {
            guard bytes < Self.pageBytes else {
                answer.more = true
                break
            }
            let status = WireWorkerStatus(view, originOf[view.name])
            bytes += status.size
            answer.workers.append(status)
        }
        return answer
    }

    /// Items that one question looks at, some tenths of a second with labels: everybody else waits meanwhile.
    private static let itemsPerLook: UInt64 = 100_000

    /// A page of items.
    borrowing func items(_ request: WireItemsRequest) throws -> WireItemsAnswer {
        let id = try known(request.batch)
        let limit = request.limit == 0 ? 1000 : min(Int(request.limit), 1000)
        var states: Set<JobState> = []
        for word in request.states {
            guard let state = JobState.allCases.first(where: { $0.description == word }) else {
                let all = JobState.allCases.map(\.description).joined(separator: ", ")
                throw ClientRefusal(
                    "bad-state",
                    "There is no state '\(word)'\(word.guess(among: JobState.allCases.map(\.description))); there are \(all)."
                )
            }
            states.insert(state)
        }
        var answer = WireItemsAnswer()
        var bytes = 0
        let total = scheduler.batch(id)?.counts.total ?? 0
        let last = min(total, request.after &+ Self.itemsPerLook)
        let page = try store.items(
            of: id, after: request.after, through: last, limit: limit, states: states, labels: request.labels)
        answer.next = page.count == limit ? page.last?.ordinal ?? 0 : last < total ? last : 0
        for record in page {
            // A page that grows too large for a message ends early; the client asks on from its last item.
            bytes += record.size
            if bytes > Self.pageBytes, let end = answer.items.last?.ordinal {
                answer.next = end
                break
            }
            answer.items.append(record.wire)
        }
        return answer
    }

    /// Why a job is not running, or what became of it.
    borrowing func explain(_ request: WireExplainRequest) throws -> WireExplainAnswer {
        let id = try known(request.batch)
        guard let record = try store.item(ItemID(request.item), of: id) else {
            throw ClientRefusal(
                "no-such-item", "Batch '\(id)' has no item '\(request.item)'. `winnow jobs \(id)` lists them.")
        }
        var answer = WireExplainAnswer()
        answer.state = record.state.description
        answer.epoch = record.attempts
        answer.losses = record.losses
        answer.failures = record.failures
        answer.explanation =
            switch record.state {
            case .succeeded: "the result is row \(record.row ?? 0) of \(record.shard ?? "")"
            case .failed: record.error ?? ""
            case .cancelled: records[id]?.reason ?? ""
            case .waiting, .running: explanation(of: record.job, in: id)
            }
        answer.attempts = try store.attempts(at: record.job).map { attempt in
            var end = WireAttemptEnd()
            end.epoch = attempt.epoch.rawValue
            end.worker = attempt.worker?.rawValue ?? ""
            end.errorClass = attempt.errorClass ?? ""
            end.reason = attempt.reason
            end.endedAt = attempt.endedAt.timeIntervalSince1970
            return end
        }
        return answer
    }

    private borrowing func explanation(of job: JobID, in batch: BatchID) -> String {
        let explanation = scheduler.explain(job)
        return explanation.description + words(ofQueuesFor: explanation, of: batch)
    }

    /// Running attempts that take far longer than the median.
    borrowing func stragglers(of name: String) throws -> WireStragglersAnswer {
        let id = try known(name)
        let found = Array(scheduler.stragglers(of: id, at: now).prefix(1000))
        let names = try store.itemIDs(of: found.map(\.lease.job))
        var answer = WireStragglersAnswer()
        answer.medianSeconds = scheduler.batch(id)?.median ?? 0
        answer.stragglers = zip(found, names).map { straggler, item in
            var wire = WireStraggler()
            wire.item = item.rawValue
            wire.worker = straggler.worker.rawValue
            wire.epoch = straggler.lease.epoch.rawValue
            wire.seconds = straggler.elapsed / .seconds(1)
            wire.hasSecondRun_p = straggler.hasSecond
            return wire
        }
        return answer
    }
}

extension WireBatchStatus {
    /// What the scheduler knows of a batch.
    init(_ view: BatchView) {
        self.init()
        batch = view.id.rawValue
        state = view.state.description
        total = view.counts.total
        waiting = view.counts[.waiting]
        running = view.counts[.running]
        answered = view.answered
        succeeded = view.counts[.succeeded]
        failed = view.counts[.failed]
        cancelled = view.counts[.cancelled]
        priority = view.options.priority
        labels = view.options.labels
        isPaused = view.isPaused
        delayed = view.delayed
        medianSeconds = view.median ?? 0
        trouble = view.trouble ?? ""
    }

    /// Bytes that it takes in a message, or a few more.
    fileprivate var size: Int {
        let texts = [batch, results, trouble, reason] + labels.flatMap { [$0.key, $0.value] }
        return texts.reduce(256) { $0 + $1.utf8.count + 8 }
    }
}

extension WireWorkerStatus {
    /// What the scheduler knows of a worker.
    init(_ view: WorkerView, _ origin: Coordination.WorkerOrigin?) {
        self.init()
        worker = view.name.rawValue
        state = view.state.rawValue
        running = UInt32(clamping: view.running)
        answered = UInt32(clamping: view.answered)
        ahead = UInt32(clamping: view.ahead)
        capacity = UInt32(clamping: view.capacity)
        finished = view.finished
        secondsSinceHeard = view.silence / .seconds(1)
        note = view.note
        host = origin?.host ?? ""
        key = origin?.keyName ?? ""
        threads = origin?.threads ?? 0
        memoryBytes = origin?.memoryBytes ?? 0
    }
    /// Bytes that it takes in a message, or a few more.
    fileprivate var size: Int { 128 + [worker, note, host, key].reduce(0) { $0 + $1.utf8.count } }
}

extension ItemRecord {
    /// Bytes that it takes in a message, or a few more.
    fileprivate var size: Int {
        let texts = [id.rawValue, shard ?? "", error ?? "", summary?.answer ?? ""]
        return texts.reduce(128) { $0 + $1.utf8.count }
    }
}
