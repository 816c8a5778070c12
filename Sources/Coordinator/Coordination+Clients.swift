internal import JobModel
internal import JobStore
internal import Logging
internal import Monitoring
internal import Scheduling
internal import WireProtocol

extension Coordination {
    /// A message from a client's connection; each is answered once, under its request number.
    mutating func received(fromClient frames: ArraySlice<[UInt8]>, peer: [UInt8]) throws {
        let message: WireFromClient
        do {
            message = try WireFromClient(frames: frames)
            try message.checkPlausibility()
        } catch {
            return drop(error)
        }
        var answer: WireToClient
        do {
            answer = try self.answer(to: message)
        } catch let refusal as ClientRefusal {
            answer = WireToClient()
            answer.refusal = refusal.wire
        } catch let error as JobStoreError where error.code == .noSuchBatch || error.code == .duplicateItem {
            answer = WireToClient()
            answer.refusal = WireRefusal(
                code: error.code == .duplicateItem ? "duplicate-item" : "no-such-batch", message: error.message)
        } catch let error as JobModelError {
            answer = WireToClient()
            let code = error.code == .badItem ? "bad-item" : "bad-description"
            answer.refusal = WireRefusal(code: code, message: error.message)
        } catch let error as CoordinatorError where error.code == .resultsFolder {
            answer = WireToClient()
            answer.refusal = WireRefusal(code: "results-folder", message: "\(error)")
        }
        answer.request = message.request
        queue(answer, .clients, peer)
    }

    private mutating func answer(to message: WireFromClient) throws -> WireToClient {
        var answer = WireToClient()
        switch message.kind {
        case .hello(let hello):
            if let refusal = ProtocolVersion.refusal(of: hello) {
                answer.refusal = refusal
            } else {
                let times = configuration.scheduling
                answer.welcome = WireWelcome(heartbeat: times.heartbeat, lease: times.lease)
            }
        case .openBatch(let request): answer.batchOpened.batch = try open(request).rawValue
        case .addItems(let request): answer.itemsAdded.total = try add(request)
        case .closeBatch(let request): answer.batchClosed.total = try close(BatchID(request.batch))
        case .status(let request): answer.status = try status(of: request.batch)
        case .cancel(let request):
            let id = try known(request.batch)
            let (cancelled, actions) = scheduler.batchCancelled(id, reason: request.reason, at: now)
            try perform(actions)
            metrics.counters.ended["cancelled", default: 0] += cancelled
            answer.cancelled.cancelled = cancelled
        case .items(let request): answer.items = try items(request)
        case .shutdown:
            answer.shuttingDown = WireShuttingDown()
            shutDown()
        case nil: break
        }
        return answer
    }

    /// A batch that exists.
    private borrowing func known(_ name: String) throws -> BatchID {
        guard records[BatchID(name)] != nil else {
            throw ClientRefusal("no-such-batch", "There is no batch '\(name)'. `winnow status` lists them.")
        }
        return BatchID(name)
    }

    private mutating func open(_ request: WireOpenBatch) throws -> BatchID {
        guard drainDeadline == nil else {
            throw ClientRefusal("shutting-down", "The coordinator is shutting down. Submit again after its next start.")
        }
        var description = try BatchDescription(json: request.description_p)
        guard BatchName.isUsable(request.name) else {
            throw ClientRefusal("bad-name", "A batch cannot be called '\(request.name)'; \(BatchName.rule).")
        }
        let results = description.results
        guard results.hasPrefix("/") else {
            throw ClientRefusal("bad-description", "The results folder '\(results)' is not an absolute path.")
        }
        var suffix = ""
        var number = 1
        while records[BatchID(request.name + suffix)] != nil || ResultsFolder.isTaken(results + suffix)
            || records.values.contains(where: { $0.description.results == results + suffix })
        {
            number += 1
            suffix = "-\(number)"
        }
        let id = BatchID(request.name + suffix)
        description.name = id.rawValue
        description.results = results + suffix
        try ResultsFolder.make(description.results)
        let json = try description.json()
        try store.openBatch(id, description: json, results: description.results, at: wallClock)
        scheduler.batchOpened(id)
        records[id] = BatchRecord(json: json, description: description)
        return id
    }

    private mutating func add(_ request: WireAddItems) throws -> UInt64 {
        let id = try known(request.batch)
        var items: [NewItem] = []
        items.reserveCapacity(request.items.count)
        for json in request.items {
            let item = try Item(json: json)
            items.append(NewItem(id: item.id, image: item.image, json: json))
        }
        let jobs = try store.add(items, to: id)
        let new = zip(jobs, items).map { NewJob(id: $0, image: imageNumber($1.image)) }
        try perform(scheduler.jobsAdded(new, to: id, at: now))
        return scheduler.batch(id)?.counts.total ?? 0
    }

    private mutating func close(_ id: BatchID) throws -> UInt64 {
        let id = try known(id.rawValue)
        if let record = records[id], record.closedAt == nil, scheduler.batch(id)?.state == .open {
            try ResultsFolder.write(record.description)
            try store.closeBatch(id, at: wallClock)
            records[id]?.closedAt = wallClock
            metrics.began(batch: id, at: now)
            logger.info(
                "batch accepted",
                metadata: [
                    LogKey.batch: "\(id)", LogKey.jobs: "\(scheduler.batch(id)?.counts.total ?? 0)",
                    LogKey.path: "\(record.description.results)",
                ])
            try perform(scheduler.batchClosed(id, at: now))
        }
        return scheduler.batch(id)?.counts.total ?? 0
    }

    private borrowing func status(of name: String) throws -> WireStatusAnswer {
        let views = name.isEmpty ? scheduler.allBatches() : [scheduler.batch(try known(name))].compactMap { $0 }
        var answer = WireStatusAnswer()
        answer.batches = views.map { view in
            var status = WireBatchStatus()
            status.batch = view.id.rawValue
            status.state = view.state.description
            status.total = view.counts.total
            status.waiting = view.counts[.waiting]
            status.running = view.counts[.running]
            status.succeeded = view.counts[.succeeded]
            status.failed = view.counts[.failed]
            status.cancelled = view.counts[.cancelled]
            status.elapsedSeconds = records[view.id]?.elapsed(at: wallClock) ?? 0
            status.results = records[view.id]?.description.results ?? ""
            return status
        }
        answer.workers = scheduler.allWorkers(at: now).map { view in
            var status = WireWorkerStatus()
            status.worker = view.name.rawValue
            status.state = view.state.rawValue
            status.running = UInt32(clamping: view.running)
            status.capacity = UInt32(clamping: view.capacity)
            status.finished = view.finished
            status.secondsSinceHeard = view.silence / .seconds(1)
            return status
        }
        return answer
    }

    private borrowing func items(_ request: WireItemsRequest) throws -> WireItemsAnswer {
        let id = try known(request.batch)
        let limit = request.limit == 0 ? 1000 : min(Int(request.limit), 1000)
        var answer = WireItemsAnswer()
        var bytes = 0
        for record in try store.items(of: id, after: request.after, limit: limit) {
            // A page that grows too large for a message ends early; the client asks on from its last item.
            bytes += (record.summary?.answer.utf8.count ?? 0) + (record.error?.utf8.count ?? 0) + 256
            if bytes > 8 << 20, !answer.items.isEmpty { break }
            answer.items.append(record.wire)
        }
        return answer
    }

    /// Lets workers finish what they run; a second request does not wait for them.
    private mutating func shutDown() {
        logger.info("shutting down")
        if drainDeadline != nil {
            drainDeadline = now
            return
        }
        drainDeadline = now + configuration.drainPatience
        for worker in scheduler.allWorkers(at: now) where worker.state != .lost { drain(worker.name) }
    }
}

/// A request that cannot be granted: why, and what to do.
private struct ClientRefusal: Error {
    var wire: WireRefusal
    init(_ code: String, _ message: String) { wire = WireRefusal(code: code, message: message) }
}
