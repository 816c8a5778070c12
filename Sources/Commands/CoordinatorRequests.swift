import Foundation
import JobModel
import WireProtocol

/// The requests that commands make, as functions.
extension CoordinatorClient {
    /// Hands in a batch as a stream of items; returns its id. Nothing of it runs before everything was taken.
    func submit(_ file: BatchFile) throws -> String {
        var open = WireOpenBatch()
        open.name = file.description.name
        open.description_p = try file.description.json()
        guard case .batchOpened(let opened) = try request(.openBatch(open)).kind else { throw unexpectedAnswer() }
        do {
            try addItems(of: file, to: opened.batch)
        } catch {
            _ = try? cancel(opened.batch, reason: "its submission failed: \(error)")
            throw error
        }
        return opened.batch
    }

    /// Most items, and bytes of items, in one message.
    private static let pieceLimit = (items: 1000, bytes: 4 << 20)

    private func addItems(of file: BatchFile, to batch: String) throws {
        var lines = try ItemLines(path: file.description.items)
        var piece = WireAddItems()
        piece.batch = batch
        var bytes = 0
        while let line = try lines.next() {
            guard let text = line.text else {
                throw CommandFailure(
                    ExitCodes.usage, "\(file.description.items):\(line.number): the line is too long or not UTF-8")
            }
            piece.items.append(text)
            bytes += text.utf8.count
            if piece.items.count == Self.pieceLimit.items || bytes >= Self.pieceLimit.bytes {
                try add(&piece)
                bytes = 0
            }
        }
        if !piece.items.isEmpty { try add(&piece) }
        var close = WireCloseBatch()
        close.batch = batch
        guard case .batchClosed = try request(.closeBatch(close)).kind else { throw unexpectedAnswer() }
    }

    /// Cancels the jobs of a batch that have not ended; returns how many those were.
    func cancel(_ batch: String, reason: String) throws -> UInt64 {
        var cancel = WireCancelRequest()
        cancel.batch = batch
        cancel.reason = reason
        guard case .cancelled(let answer) = try request(.cancel(cancel)).kind else { throw unexpectedAnswer() }
        return answer.cancelled
    }

    private func add(_ piece: inout WireAddItems) throws {
        guard case .itemsAdded = try request(.addItems(piece)).kind else { throw unexpectedAnswer() }
        piece.items.removeAll(keepingCapacity: true)
    }

    /// The state of one batch, or of all where `batch` is empty, and of the workers.
    func status(_ batch: String = "") throws -> WireStatusAnswer {
        var question = WireStatusRequest()
        question.batch = batch
        guard case .status(let answer) = try request(.status(question)).kind else { throw unexpectedAnswer() }
        return answer
    }

    /// Calls `body` with every item of a batch, in the order of the manifest.
    func forEachItem(of batch: String, _ body: (WireItemStatus) throws -> Void) throws {
        var question = WireItemsRequest()
        question.batch = batch
        question.limit = 500
        while true {
            guard case .items(let page) = try request(.items(question)).kind else { throw unexpectedAnswer() }
            guard let last = page.items.last else { return }
            for item in page.items { try body(item) }
            question.after = last.ordinal
        }
    }

    /// Waits until a batch is over, showing its progress; returns its last state.
    func waitForEnd(
        of batch: String, showingProgress: Bool, every pause: Duration = .milliseconds(200),
        _ meanwhile: () throws -> Void = {}
    ) throws -> WireBatchStatus {
        var progress = BatchProgress()
        while true {
            let answer = try status(batch)
            guard let status = answer.batches.first else {
                throw CommandFailure(
                    ExitCodes.usage, "there is no batch \(batch); 'winnow status' lists those there are")
            }
            if showingProgress { progress.show(status, workers: answer.workers.count { $0.state != "lost" }) }
            if status.state == "finished" || status.state == "cancelled" {
                if showingProgress { progress.end() }
                return status
            }
            try meanwhile()
            Thread.sleep(forTimeInterval: pause / .seconds(1))
        }
    }

    private func unexpectedAnswer() -> CommandFailure {
        CommandFailure("the coordinator gave an answer of another kind than asked for; is it of another version?")
    }
}

extension WireBatchStatus {
    /// What a command that waited for this batch exits with.
    var exitCode: Int32 {
        if state == "cancelled" || cancelled > 0 { return ExitCodes.cancelled }
        return failed > 0 ? ExitCodes.someJobsFailed : ExitCodes.success
    }
}
