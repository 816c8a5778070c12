internal import JobModel
internal import JobStore
internal import Logging
internal import Scheduling
internal import TokenReduction
internal import WireProtocol

extension Coordination {
    /// Opens a batch, or resumes the one of that name if it asks for the same.
    mutating func open(_ request: WireOpenBatch) throws -> WireBatchOpened {
        guard drainDeadline == nil else {
            throw ClientRefusal("shutting-down", "The coordinator is shutting down. Submit again after its next start.")
        }
        var description = try BatchDescription(json: request.description_p)
        guard BatchName.isUsable(request.name) else {
            throw ClientRefusal("bad-name", "A batch cannot be called '\(request.name)'; \(BatchName.rule).")
        }
        try description.checkLimits()
        try check(description.method)
        var results = description.results
        while results.count > 1, results.hasSuffix("/") { results.removeLast() }
        if !request.fresh, let record = records[BatchID(request.name)] {
            return try resume(BatchID(request.name), record, description, request)
        }
        let (id, folder) = try freePlace(for: request, results: results)
        let token = ResultsToken.random()
        description.name = id.rawValue
        description.results = folder
        description.resultsToken = token
        try BatchFolder.make(folder, token: token)
        let json = try description.json()
        try store.openBatch(
            id, description: json, results: description.results, modelFingerprint: request.modelFingerprint,
            at: wallClock)
        scheduler.batchOpened(id, options: description.queue)
        records[id] = BatchRecord(
            json: json, description: description, modelFingerprint: request.modelFingerprint)
        return opened(id, resumed: false)
    }

    /// A name and a results folder that no batch has: those that are asked for, or for a batch that is to be a new one in
    /// any case the first ones with a suffix.
    private mutating func freePlace(
        for request: WireOpenBatch, results: String
    ) throws -> (id: BatchID, folder: String) {
        if let outer = BatchFolder.enclosing(results) {
            throw ClientRefusal(
                "results-taken",
                "The results folder lies inside the results of another batch; name one outside of them with 'results:': "
                    + "\(results) is inside \(outer)")
        }
        // Several batches of one folder can only have followed one another, so any of them will do.
        let owners = Dictionary(
            records.filter { $0.value.finishedAt == nil }.map { ($0.value.folder, $0.key) },
            uniquingKeysWith: { first, _ in first })
        // Of a thousand batches of one name, the last does not ask after each of the others.
        var number = request.fresh ? lastSuffixes[request.name] ?? 1 : 1
        while true {
            let suffix = number == 1 ? "" : "-\(number)"
            let id = BatchID(request.name + suffix), folder = results + suffix
            let owner = owners[BatchFolder.canonical(folder)] ?? openBatch(withToken: ResultsToken.read(folder))
            if records[id] == nil, owner == nil, !BatchFolder.isTaken(folder) {
                if number > 1 { lastSuffixes[request.name] = number }
                return (id, folder)
            }
            guard request.fresh else {
                let whose =
                    owner.map { "batch '\($0)'" }
                    ?? "a batch that is over or forgotten, or that another coordinator ran"
                throw ClientRefusal(
                    "results-taken",
                    "The results folder \(folder) belongs to \(whose). Name another folder with 'results:', submit with "
                        + "--new for a folder with a number, move this one away, or go on with the job store that ran it "
                        + "('winnow coordinator --store').")
            }
            number += 1
        }
    }

    /// The open batch whose folder bears a token, by whatever path one came there.
    private borrowing func openBatch(withToken reading: ResultsToken.Reading) -> BatchID? {
        guard case .token(let token) = reading else { return nil }
        return records.first { $0.value.description.resultsToken == token && $0.value.finishedAt == nil }?.key
    }

    /// Refuses a method that no worker knows, or options that it does not have.
    private borrowing func check(_ method: BatchDescription.Method) throws {
        do {
            _ = try MethodCatalogue.method(named: method.name, options: method.options)
        } catch {
            throw ClientRefusal("bad-description", "The method of the batch cannot be used: \(error)")
        }
        guard method.name == "none" || method.keep != nil else {
            throw ClientRefusal(
                "bad-description", "Method '\(method.name)' needs 'keep', the number of visual tokens to keep.")
        }
    }

    /// Resumes a batch that exists: its items keep their state, and missing ones are added.
    private mutating func resume(
        _ id: BatchID, _ record: BatchRecord, _ wanted: BatchDescription, _ request: WireOpenBatch
    ) throws -> WireBatchOpened {
        var differences = wanted.differences(from: record.description)
        let prints = (record.modelFingerprint, request.modelFingerprint)
        if !prints.0.isEmpty, !prints.1.isEmpty, prints.0 != prints.1 {
            differences.append("the files of model \(wanted.model) have changed")
        }
        guard differences.isEmpty || request.force else {
            throw ClientRefusal(
                "changed-batch",
                "Batch '\(id)' exists and asks for something else (\(differences.joined(separator: "; "))). Use --new "
                    + "for a batch of its own, or --force to run what is left of it in the new way.")
        }
        var description = wanted
        description.name = id.rawValue
        description.results = record.description.results
        description.resultsToken = record.description.resultsToken
        let json = try description.json()
        records[id]?.awaited =
            json != record.json || prints.1 != prints.0
            ? (json, description, prints.1.isEmpty ? prints.0 : prints.1) : nil
        if scheduler.batch(id)?.state.isFinal != true { try takeUpAwaited(of: id) }
        records[id]?.isReplacing = request.force
        logger.info("batch taken up by its submitter", metadata: [LogKey.batch: "\(id)"])
        return opened(id, resumed: true)
    }

    /// Makes the description that was asked for last the one that counts.
    mutating func takeUpAwaited(of id: BatchID) throws {
        guard let record = records[id], let (json, description, fingerprint) = record.awaited else { return }
        if record.closedAt != nil { try BatchFolder.write(description) }
        try store.describeBatch(id, description: json, modelFingerprint: fingerprint)
        scheduler.optionsChanged(description.queue, of: id)
        records[id]?.json = json
        records[id]?.description = description
        records[id]?.modelFingerprint = fingerprint
        records[id]?.awaited = nil
        for peer in peers.keys { peers[peer]?.knownBatches.remove(id) }
    }

    private borrowing func opened(_ id: BatchID, resumed: Bool) -> WireBatchOpened {
        var answer = WireBatchOpened()
        answer.batch = id.rawValue
        answer.resumed = resumed
        answer.total = scheduler.batch(id)?.counts.total ?? 0
        answer.results = records[id]?.description.results ?? ""
        return answer
    }

    /// Adds a piece of a manifest.
    mutating func add(_ request: WireAddItems) throws -> WireItemsAdded {
        let id = try known(request.batch)
        var items: [NewItem] = []
        items.reserveCapacity(request.items.count)
        for json in request.items {
            let item = try Item(json: json)
            items.append(NewItem(id: item.id, images: item.images, json: json))
        }
        for item in items where records[id]?.awaited != nil {
            let known = try store.item(item.id, of: id)
            if known == nil || known?.state == .cancelled { try takeUpAwaited(of: id) }
        }
        let outcome = try store.add(items, to: id, replacing: records[id]?.isReplacing ?? false)
        let new = outcome.added.map { NewJob(id: $0.id, image: $0.picture.rawValue) }
        try perform(scheduler.jobsAdded(new, to: id, at: now))
        for lease in outcome.replaced { try perform(scheduler.epochRaised(to: lease, at: now)) }
        try revive(outcome.revived, in: id)
        var answer = WireItemsAdded()
        answer.total = scheduler.batch(id)?.counts.total ?? 0
        answer.added = UInt64(new.count)
        answer.known = outcome.known
        answer.revived = UInt64(outcome.revived.count)
        return answer
    }

    /// Completes a submission.
    mutating func close(_ id: BatchID) throws -> UInt64 {
        let id = try known(id.rawValue)
        if let record = records[id], record.closedAt == nil, scheduler.batch(id)?.state == .open {
            try BatchFolder.write(record.description)
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
}
