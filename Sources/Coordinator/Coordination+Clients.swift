internal import JobModel
internal import JobStore
internal import JobVocabulary
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
        } catch {
            return drop(error)
        }
        do {
            try message.checkPlausibility()
        } catch {
            drop(error)
            return refuse(message, peer, WireRefusal(code: "implausible", message: error.message))
        }
        answering = Outgoing(port: .clients, peer: peer, frames: [], request: message.request)
        var answer: WireToClient
        do {
            answer = try self.answer(to: message, from: peer)
        } catch let refusal as ClientRefusal {
            answer = WireToClient()
            answer.refusal = refusal.wire
        } catch let error as JobStoreError where error.refusalCode != nil {
            answer = WireToClient()
            answer.refusal = WireRefusal(code: error.refusalCode ?? "", message: error.message)
        } catch let error as JobStoreError where !error.isDisk && message.isQuestion {
            // Nothing was to be changed, and nothing was: only this question has no answer.
            answer = WireToClient()
            answer.refusal = WireRefusal(code: "not-answered", message: error.message)
        } catch let error as JobModelError {
            answer = WireToClient()
            let code = error.code == .badItem ? "bad-item" : "bad-description"
            answer.refusal = WireRefusal(code: code, message: error.message)
        } catch let error as CoordinatorError where error.code == .resultsFolder {
            answer = WireToClient()
            answer.refusal = WireRefusal(code: "results-folder", message: "\(error)")
        }
        answering = nil
        answer.request = message.request
        if let error = queue(answer, .clients, peer, request: message.request) {
            refuse(
                message, peer, WireRefusal(code: "too-large", message: "The answer cannot be sent: \(error.message)"))
        }
    }

    /// Says to a client why it gets no answer.
    private mutating func refuse(_ message: WireFromClient, _ peer: [UInt8], _ refusal: WireRefusal) {
        var answer = WireToClient()
        answer.request = message.request
        answer.refusal = refusal
        queue(answer, .clients, peer, request: message.request)
    }

    private mutating func answer(to message: WireFromClient, from peer: [UInt8]) throws -> WireToClient {
        var answer = WireToClient()
        switch message.kind {
        case .hello(let hello):
            if let refusal = ProtocolVersion.refusal(of: hello) {
                answer.refusal = refusal
            } else if !hello.worker.isEmpty {
                answer.refusal = WireRefusal(
                    code: WireRefusal.otherPortCode,
                    message:
                        "Clients connect here, and workers to the coordinator's other address, \(Self.shown(endpoints.workers))."
                )
            } else {
                let times = configuration.scheduling
                answer.welcome = WireWelcome(heartbeat: times.heartbeat, lease: times.lease)
            }
        case .status(let request): answer.status = try status(request)
        case .items(let request): answer.items = try items(request)
        case .explain(let request): answer.explained = try explain(request)
        case .stragglers(let request): answer.stragglers = try stragglers(of: request.batch)
        case .allocations(let report): answer.allocations = try take(report, from: peer)
        case .shutdown:
            answer.shuttingDown = WireShuttingDown()
            shutDown()
        case nil: break
        default:
            guard storeHealth.isSound else { throw ClientRefusal(wire: storeRefusal) }
            try change(message, &answer)
        }
        return answer
    }

    /// Requests that change what is stored.
    private mutating func change(_ message: WireFromClient, _ answer: inout WireToClient) throws {
        switch message.kind {
        case .openBatch(let request): answer.batchOpened = try open(request)
        case .addItems(let request): answer.itemsAdded = try add(request)
        case .closeBatch(let request): answer.batchClosed.total = try close(BatchID(request.batch))
        case .cancel(let request):
            let id = try known(request.batch)
            let (cancelled, actions) = scheduler.batchCancelled(id, reason: request.reason.shortened(), at: now)
            try perform(actions)
            answer.cancelled.cancelled = cancelled
        case .pause(let request): answer.paused = try pause(request)
        case .retry(let request): answer.retried = try retry(request)
        case .drain(let request): answer.draining = try drain(request)
        case .wake(let request): answer.woken = try wake(request)
        case .forget(let request): answer.forgotten = try forget(request)
        default: break
        }
    }

    /// A batch that exists.
    borrowing func known(_ name: String) throws -> BatchID {
        guard records[BatchID(name)] != nil else {
            throw ClientRefusal(
                "no-such-batch",
                "There is no batch '\(name)'\(name.guess(among: records.keys.map(\.rawValue))). `winnow status` lists them."
            )
        }
        return BatchID(name)
    }

    private mutating func pause(_ request: WirePauseRequest) throws -> WirePauseAnswer {
        let wanted = request.batch.isEmpty ? scheduler.allBatches().map(\.id) : [try known(request.batch)]
        if !request.batch.isEmpty, let batch = scheduler.batch(BatchID(request.batch)), batch.state.isFinal {
            throw ClientRefusal("batch-ended", "Batch '\(batch.id)' is \(batch.state): nothing of it is left to run.")
        }
        var answer = WirePauseAnswer()
        for id in wanted where scheduler.batch(id)?.state.isFinal == false {
            try perform(scheduler.batchPaused(id, !request.resume, at: now))
            answer.batches.append(id.rawValue)
        }
        return answer
    }

    private mutating func retry(_ request: WireRetryRequest) throws -> WireRetryAnswer {
        let id = try known(request.batch)
        var states: Set<JobState> = []
        if request.failed { states.insert(.failed) }
        if request.cancelled { states.insert(.cancelled) }
        if !request.items.isEmpty { states = [.failed, .cancelled] }
        if let counts = scheduler.batch(id)?.counts, counts[.failed] + counts[.cancelled] > 0 {
            try takeUpAwaited(of: id)
        }
        let revived = try store.retry(id, states: states, items: request.items.map { ItemID($0) })
        try revive(revived, in: id)
        var answer = WireRetryAnswer()
        answer.retried = UInt64(revived.count)
        return answer
    }

    /// Jobs that had ended wait again.
    mutating func revive(_ jobs: [RevivedJob], in id: BatchID) throws {
        for (state, wasFailed) in [(JobState.failed, true), (.cancelled, false)] {
            let new = jobs.filter { $0.wasFailed == wasFailed }.map {
                NewJob(id: $0.id, image: $0.picture.rawValue, epoch: $0.epoch)
            }
            if !new.isEmpty { try perform(scheduler.jobsAdded(new, to: id, formerly: state, at: now)) }
        }
    }

    private mutating func drain(_ request: WireDrainRequest) throws -> WireDrainAnswer {
        var answer = WireDrainAnswer()
        for name in try present(request.worker) {
            drain(name)
            answer.workers.append(name.rawValue)
        }
        return answer
    }

    private mutating func wake(_ request: WireWakeRequest) throws -> WireWakeAnswer {
        let (woken, actions) = scheduler.workersWoken(try present(request.worker), at: now)
        try perform(actions)
        var answer = WireWakeAnswer()
        answer.workers = woken.map(\.rawValue)
        return answer
    }

    /// The worker of that name; every one that is there, where it is empty.
    private borrowing func present(_ name: String) throws -> [WorkerName] {
        if name.isEmpty { return scheduler.allWorkers(at: now).filter { $0.state != .lost }.map(\.name) }
        guard scheduler.isPresent(WorkerName(name)) else {
            throw ClientRefusal(
                "no-such-worker", "There is no worker '\(name)' at present. `winnow workers` lists them.")
        }
        return [WorkerName(name)]
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
struct ClientRefusal: Error {
    var wire: WireRefusal
}

extension ClientRefusal {
    init(_ code: String, _ message: String) { self.init(wire: WireRefusal(code: code, message: message)) }
}

extension JobStoreError {
    /// What a client is told that the store refuses; nil where it is not the request's fault.
    fileprivate var refusalCode: String? {
        switch code {
        case .changedItem: "changed-item"
        case .noSuchBatch: "no-such-batch"
        case .notEnded: "batch-not-ended"
        default: nil
        }
    }
}

extension WireFromClient {
    /// Whether it asks for nothing to be changed.
    fileprivate var isQuestion: Bool {
        switch kind {
        case .status, .items, .explain, .stragglers, .allocations: true
        default: false
        }
    }
}
