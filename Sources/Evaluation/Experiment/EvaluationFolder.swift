public import Foundation
public import JobModel
import JobVocabulary

/// The folder of an evaluation as one reads it who did not run it: the batch, and the answers of every cell.
public struct EvaluationFolder: Sendable {
    /// The batch whose questions were asked.
    public let batch: BatchDescription
    /// The cells that have answers, `none` first, budgets falling; each with all questions, those about one picture together.
    public let cells: [CellAnswers]

    /// Whether a folder holds answers of `winnow eval run`.
    public static func isOne(_ folder: URL) -> Bool {
        let files = FileManager.default
        return [EvaluationSettings.file, EvaluationSettings.answers].allSatisfy {
            files.fileExists(atPath: folder.appendingPathComponent($0).path)
        }
    }

    /// Keeps beside the answers what was asked, so that the folder can be read without the command that made it.
    public static func keep(_ batch: BatchDescription, in folder: URL) throws {
        try Data(batch.yaml().utf8).write(to: folder.appendingPathComponent(ResultsLayout.batchFile), options: .atomic)
    }

    /// Reads a folder, even while a run goes on. Throws if its batch, its items or their pictures are gone, or are others than
    /// were asked.
    ///
    /// - Parameter images: The folder that pictures' paths start from; nil takes the batch's.
    public init(_ folder: URL, images: String? = nil) throws {
        let settings = try EvaluationSettings.read(folder)
        let file = folder.appendingPathComponent(ResultsLayout.batchFile)
        guard FileManager.default.fileExists(atPath: file.path) else {
            throw EvaluationError(
                .missingData,
                "\(folder.path) has no \(ResultsLayout.batchFile), which says what was asked: give the 'winnow eval run' that made it once "
                    + "more; it keeps the answers and adds the file")
        }
        var changes = BatchChanges()
        changes.images = images
        batch = try BatchFile.load(file, changing: changes).description
        guard settings?.itemsSHA256 == (try EvaluationSettings.digest(batch.itemSource)) else {
            throw EvaluationError(
                .otherSettings,
                "\(batch.items) holds other items than those that \(folder.path) has answers to: put the old ones back, or "
                    + "run 'winnow eval run' with another --out")
        }
        let items = GridRunner.byPicture(try Item.all(of: batch.itemSource))
        cells = try Self.grid(folder).compactMap { cell in
            let rows = try AnswerJournal.read(GridRunner.file(of: cell, in: folder))
            return rows.isEmpty ? nil : CellAnswers(cell, items: items, rows: rows)
        }
        guard !cells.isEmpty else {
            throw EvaluationError(
                .unfinished, "\(folder.path) holds no answer yet: wait for 'winnow eval run', or start it again")
        }
    }

    /// The cells that have a file, in the order of tables.
    private static func grid(_ folder: URL) throws -> [GridCell] {
        let answers = folder.appendingPathComponent(EvaluationSettings.answers).path
        let names = try FileManager.default.contentsOfDirectory(atPath: answers)
        let cells = try names.filter { $0.hasSuffix(GridRunner.answerSuffix) }.map { name in
            do {
                return try GridCell(named: String(name.dropLast(GridRunner.answerSuffix.count)))
            } catch {
                throw EvaluationError(.badData, "\(answers)/\(name) is of no method: \(error)")
            }
        }
        return cells.sorted { first, second in
            guard first.keep != nil, second.keep != nil else { return first.keep == nil && second.keep != nil }
            return (first.choice.label, -(first.keep ?? 0)) < (second.choice.label, -(second.keep ?? 0))
        }
    }
}

extension GridCell {
    /// The cell of a name, such as `ficoco-v:axis=row@64`; throws where the catalogue does not know the method.
    init(named name: String) throws {
        if let end = name.lastIndex(of: "@"), let keep = Int(name[name.index(after: end)...]) {
            self.init(choice: try MethodChoice(parsing: String(name[..<end])), keep: keep)
        } else {
            self.init(choice: try MethodChoice(parsing: name), keep: nil)
        }
    }
}
