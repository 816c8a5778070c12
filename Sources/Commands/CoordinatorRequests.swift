import Allocation
import Foundation
import JobModel
import VisionLanguage
import WireProtocol

/// What a submission did.
struct Submission {
    var batch: String
    var resumed: Bool
    var results: String
    var total: UInt64 = 0
    var added: UInt64 = 0
    var known: UInt64 = 0
    var revived: UInt64 = 0
}

/// The requests that commands make, as functions.
extension CoordinatorClient {
    /// Hands in a batch as a stream of items. Nothing of a new one runs before everything was taken; each piece is durable
    /// once it is answered, so a submission that broke off is simply made again.
    ///
    /// - Parameters:
    ///   - fresh: never resume a batch of the same name.
    ///   - force: resume although model, parameters or items differ.
    func submit(_ file: BatchFile, fresh: Bool = false, force: Bool = false) throws -> Submission {
        var open = WireOpenBatch()
        open.name = file.description.name
        open.description_p = try file.description.json()
        // Where the model is not here, there is nothing to compare with that of an earlier submission.
        if BatchPreflight.hasModel(file.description) {
            open.modelFingerprint = CheckpointSample.digest(
                directories: [file.description.model, file.description.visionTower])
        }
        open.fresh = fresh
        open.force = force
        guard case .batchOpened(let opened) = try request(.openBatch(open)).kind else { throw unexpectedAnswer() }
        var submission = Submission(batch: opened.batch, resumed: opened.resumed, results: opened.results)
        try addItems(of: file, &submission)
        var close = WireCloseBatch()
        close.batch = opened.batch
        guard case .batchClosed(let closed) = try request(.closeBatch(close)).kind else { throw unexpectedAnswer() }
        submission.total = closed.total
        return submission
    }

    /// Most items, and bytes of items, in one message.
    private static let pieceLimit = (items: 4000, bytes: 4 << 20)

    private func addItems(of file: BatchFile, _ submission: inout Submission) throws {
        var lines = try ItemLines(file.description.itemSource)
        var piece = WireAddItems()
        piece.batch = submission.batch
        var bytes = 0
        while let line = try lines.next() {
            guard let text = line.text else {
                throw CommandFailure(
                    ExitCodes.usage,
                    "\(file.description.items)\(line.number.map { ":\($0)" } ?? ""): "
                        + (line.problem ?? "the item cannot be read"))
            }
            piece.items.append(text)
            bytes += text.utf8.count
            if piece.items.count == Self.pieceLimit.items || bytes >= Self.pieceLimit.bytes {
                try add(&piece, &submission)
                bytes = 0
            }
        }
        if !piece.items.isEmpty { try add(&piece, &submission) }
    }

    /// Cancels the jobs of a batch that have not ended; returns how many those were.
    func cancel(_ batch: String, reason: String) throws -> UInt64 {
        var cancel = WireCancelRequest()
        cancel.batch = batch
        cancel.reason = reason
        guard case .cancelled(let answer) = try request(.cancel(cancel)).kind else { throw unexpectedAnswer() }
        return answer.cancelled
    }

    private func add(_ piece: inout WireAddItems, _ submission: inout Submission) throws {
        guard case .itemsAdded(let answer) = try request(.addItems(piece)).kind else { throw unexpectedAnswer() }
        submission.added += answer.added
        submission.known += answer.known
        submission.revived += answer.revived
        piece.items.removeAll(keepingCapacity: true)
    }

    /// Holds the jobs of a batch back or lets them go again, of every batch where the name is empty; returns which.
    func pause(_ batch: String, resume: Bool) throws -> [String] {
        var pause = WirePauseRequest()
        pause.batch = batch
        pause.resume = resume
        guard case .paused(let answer) = try request(.pause(pause)).kind else { throw unexpectedAnswer() }
        return answer.batches
    }

    /// Lets jobs run again that ended without success; returns how many.
    func retry(_ batch: String, items: [String], failed: Bool, cancelled: Bool) throws -> UInt64 {
        var retry = WireRetryRequest()
        retry.batch = batch
        retry.items = items
        retry.failed = failed
        retry.cancelled = cancelled
        guard case .retried(let answer) = try request(.retry(retry)).kind else { throw unexpectedAnswer() }
        return answer.retried
    }

    /// Lets a worker finish and end, or all where the name is empty; returns which.
    func drain(_ worker: String) throws -> [String] {
        var drain = WireDrainRequest()
        drain.worker = worker
        guard case .draining(let answer) = try request(.drain(drain)).kind else { throw unexpectedAnswer() }
        return answer.workers
    }

    /// Lets workers that rest, or could not run a batch, try again at once: one, or all where the name is empty. Returns their
    /// names.
    func wake(_ worker: String) throws -> [String] {
        var wake = WireWakeRequest()
        wake.worker = worker
        guard case .woken(let answer) = try request(.wake(wake)).kind else { throw unexpectedAnswer() }
        return answer.workers
    }

    /// Says how allocation queues stand, and returns what there is to do for each.
    func demands(_ report: WireAllocationsReport) throws -> [Demand] {
        guard case .allocations(let answer) = try request(.allocations(report)).kind,
            answer.demands.count == report.queues.count
        else { throw unexpectedAnswer() }
        return answer.demands.map { demand in
            Demand(
                waiting: demand.waiting, hindrance: demand.hindrance,
                workers: demand.workers.map { .init(name: $0.worker, finished: $0.finished, note: $0.note) })
        }
    }

    /// Takes a batch that has ended out of the job store; returns how many jobs it had and where its results are.
    func forget(_ batch: String) throws -> (jobs: UInt64, results: String) {
        var forget = WireForgetRequest()
        forget.batch = batch
        guard case .forgotten(let answer) = try request(.forget(forget)).kind else { throw unexpectedAnswer() }
        return (answer.jobs, answer.results)
    }

    /// Why a job is not running, or what became of it.
    func explain(_ item: String, of batch: String) throws -> WireExplainAnswer {
        var explain = WireExplainRequest()
        explain.batch = batch
        explain.item = item
        guard case .explained(let answer) = try request(.explain(explain)).kind else { throw unexpectedAnswer() }
        return answer
    }

    /// Attempts that take far longer than the median.
    func stragglers(of batch: String) throws -> StragglersReport {
        var question = WireStragglersRequest()
        question.batch = batch
        guard case .stragglers(let answer) = try request(.stragglers(question)).kind else { throw unexpectedAnswer() }
        return StragglersReport(answer)
    }

    /// The state of one batch, or of all where `batch` is empty, and of the workers unless only batches are wanted.
    func status(_ batch: String = "", batchesOnly: Bool = false) throws -> WireStatusAnswer {
        var question = WireStatusRequest()
        question.batch = batch
        question.batchesOnly = batchesOnly
        var whole = WireStatusAnswer()
        while true {
            guard case .status(let page) = try request(.status(question)).kind else { throw unexpectedAnswer() }
            whole.batches += page.batches
            whole.workers += page.workers
            whole.present = page.present
            guard page.more, !page.batches.isEmpty || !page.workers.isEmpty else { return whole }
            question.afterBatches = UInt64(whole.batches.count)
            question.afterWorker = whole.workers.last?.worker ?? ""
        }
    }

    /// The state, from a coordinator that was there and may be away for a while: it comes back with all it knows.
    func patientStatus(_ batch: String = "", batchesOnly: Bool = false) throws -> WireStatusAnswer {
        var isAway = false
        while true {
            do {
                let answer = try status(batch, batchesOnly: batchesOnly)
                if isAway { printError("the coordinator is back") }
                return answer
            } catch let error as CoordinatorClientError {
                guard error.code == .noAnswer, hasAnswered, !isRefused else { throw error }
                if !isAway { printError("the coordinator does not answer; waiting for it") }
                isAway = true
            }
        }
    }

    /// Calls `body` with items of a batch, in the order of the manifest: with those in one of the states and with all of
    /// the labels, where any are given.
    func forEachItem(
        of batch: String, states: [String] = [], labels: [String: String] = [:], limit: Int = .max,
        _ body: (WireItemStatus) throws -> Void
    ) throws {
        var question = WireItemsRequest()
        question.batch = batch
        question.states = states
        question.labels = labels
        var left = limit
        while left > 0 {
            question.limit = UInt32(min(left, 500))
            guard case .items(let page) = try request(.items(question)).kind else { throw unexpectedAnswer() }
            for item in page.items { try body(item) }
            left -= page.items.count
            guard page.next > question.after else { return }
            question.after = page.next
        }
    }

    /// Waits until a batch is over, showing its progress; returns its last state.
    func waitForEnd(
        of batch: String, showingProgress: Bool, every pause: Duration = .milliseconds(200),
        _ meanwhile: (WireBatchStatus) throws -> Void = { _ in }
    ) throws -> WireBatchStatus {
        var progress = BatchProgress()
        defer { progress.end() }
        while true {
            let answer = try patientStatus(batch, batchesOnly: true)
            guard let status = answer.batches.first else {
                throw CommandFailure(
                    ExitCodes.usage, "there is no batch \(batch); 'winnow status' lists those there are")
            }
            if showingProgress { progress.show(status, workers: Int(answer.present)) }
            if status.isOver { return status }
            try meanwhile(status)
            Thread.sleep(forTimeInterval: pause / .seconds(1))
        }
    }

    private func unexpectedAnswer() -> CommandFailure {
        CommandFailure("the coordinator gave an answer of another kind than asked for; is it of another version?")
    }
}

extension WireBatchStatus {
    /// Whether every job of it has ended.
    var isOver: Bool { state == "finished" || state == "cancelled" }

    /// What a command that waited for this batch exits with.
    var exitCode: Int32 {
        if state == "cancelled" || cancelled > 0 { return ExitCodes.cancelled }
        return failed > 0 ? ExitCodes.someJobsFailed : ExitCodes.success
    }
}
