import Analysis
import Evaluation
import Foundation
import JobModel
import JobVocabulary
import ResultFiles
import WireProtocol

/// The cells of a grid as batches of a coordinator's workers, one for each cell.
///
/// They go on whether or not a command waits for them. A command for the same grid finds them again: what has been answered
/// stays, and what failed or was cancelled is tried again.
struct ClusterGrid {
    private struct Cell {
        let cell: GridCell
        let batch: String
        let results: ResultsFolder
    }

    private let coordinator: CoordinatorClient
    private let cells: [Cell]

    /// Submits a batch for each cell.
    ///
    /// - Parameters:
    ///   - file: The batch whose method the cells replace.
    ///   - questions: A file with its items.
    ///   - folder: The folder of the evaluation; results go to `batches/` in it.
    init(
        _ cells: [GridCell], of file: BatchFile, questions: URL, folder: URL, coordinator: CoordinatorClient
    ) throws {
        self.coordinator = coordinator
        let name = try "\(Self.word(folder.lastPathComponent))-\(Self.sign(of: folder))"
        self.cells = try cells.map { cell in
            let word = Self.word(cell.name)
            var file = file
            file.description.name = "\(name)-\(word)"
            guard BatchName.isUsable(file.description.name) else {
                throw CommandFailure(
                    ExitCodes.usage,
                    "'\(file.description.name)' cannot be the name of a batch: \(BatchName.rule); choose another folder with --out"
                )
            }
            file.description.items = questions.path
            file.description.prompt = nil
            file.description.results = folder.appendingPathComponent("batches/\(word)").path
            file.description.method = BatchDescription.Method(
                name: cell.choice.method, keep: cell.keep, options: cell.choice.options)
            file.description.features = .none
            file.description.trace = .indices
            file.description.queue.labels["eval"] = folder.lastPathComponent
            let submitted = try coordinator.submit(file)
            if submitted.resumed {
                _ = try coordinator.retry(submitted.batch, items: [], failed: true, cancelled: true)
            }
            return Cell(cell: cell, batch: submitted.batch, results: ResultsFolder(submitted.results))
        }
    }

    /// A text as a part of a batch's name.
    private static func word(_ text: String) -> String {
        String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber || ".-_".contains($0)) ? $0 : "-" })
    }

    /// Some letters that lie in an evaluation's folder, which tell its batches from those of another folder of the same name.
    private static func sign(of folder: URL) throws -> String {
        let batches = folder.appendingPathComponent("batches"), file = batches.appendingPathComponent(".sign")
        if let kept = try? String(contentsOf: file, encoding: .utf8), !kept.isEmpty { return kept }
        let sign = RandomLetters.five()
        try FileManager.default.createDirectory(at: batches, withIntermediateDirectories: true)
        try Data(sign.utf8).write(to: file, options: .atomic)
        return sign
    }

    /// Waits until every batch is over.
    func wait(progress: (GridRunner.Progress) -> Void) throws {
        let names = Set(cells.map(\.batch))
        while true {
            let batches = try coordinator.patientStatus("", batchesOnly: true).batches.filter {
                names.contains($0.batch)
            }
            let total = batches.reduce(0) { $0 + Int($1.total) }
            let ended = batches.reduce(0) { $0 + Int($1.succeeded + $1.failed + $1.cancelled) }
            progress(GridRunner.Progress(done: ended, total: total))
            if batches.allSatisfy(\.isOver) { return }
            Thread.sleep(forTimeInterval: 1)
        }
    }

    /// What the workers answered in a cell to questions of these ids.
    func answers(in cell: GridCell, to questions: [String]) throws -> [AnswerRow] {
        guard let results = cells.first(where: { $0.cell == cell })?.results else { return [] }
        let places = try Catalogue(results).places(of: questions)
        return try Dictionary(grouping: places, by: \.shard).flatMap { shard, places in
            let rows = try ShardReader("\(results.path)/\(shard)", reading: .rows).rows(features: false)
            return places.filter { rows.indices.contains($0.row) }.map { AnswerRow(rows[$0.row]) }
        }
    }
}

extension AnswerRow {
    /// An answer of some worker; the seconds of different machines are not comparable, and left out.
    fileprivate init(_ row: ResultRow) {
        let delivered = row.tokens.leftAt.count { step in
            step == ResultRow.Tokens.survived
                || step != ResultRow.Tokens.leftOut && row.steps.place[Int(step)] == .languageModel
        }
        let total = row.flops.total
        self.init(
            id: row.id, answer: row.status == .ok ? row.answer : nil, error: row.status == .ok ? nil : row.error,
            delivered: delivered, left: row.visualTokensOut, flops: Int(total),
            prefillFLOPs: Int(total - row.flops.decode),
            kept: row.status == .ok ? Self.mask(row.kept, of: row.tokens.leftAt.count) : nil)
    }
}
