public import Foundation
import Generation
public import JobModel
import Tensors
import TokenReduction
public import VisionLanguage

/// Asks every question in every cell of a grid, in one process, and keeps each answer in a file.
///
/// It goes through the questions a few pictures at a time and lets all cells answer those in turn: a picture is decoded
/// once for all its questions and all cells, a machine that becomes slower does so for all of them, and whoever stops it
/// can start it again where it was.
public struct GridRunner {
    /// Questions that all cells answer before the next ones come.
    public static let questionsAtOnce = 40

    private let batch: BatchDescription
    private let items: [Item]
    private let cells: [GridCell]
    private let folder: URL

    /// A run of `cells` over the items of a batch file, the first `limit` of them, with answers in `folder`.
    ///
    /// Questions about one picture are asked together, wherever they stand in the file.
    public init(_ batch: BatchDescription, cells: [GridCell], folder: URL, limit: Int? = nil) throws {
        self.batch = batch
        self.cells = cells
        self.folder = folder
        items = Self.byPicture(try Item.all(of: batch.itemSource).prefix(limit ?? .max))
    }

    /// Pictures, or several together, in the order in which they come up, each with all its questions, and among them those
    /// about none.
    static func byPicture(_ items: some Sequence<Item>) -> [Item] {
        var groups: [[Item]] = [], places: [[String]: Int] = [:]
        for item in items {
            if let place = places[item.images] {
                groups[place].append(item)
            } else {
                if !item.images.isEmpty { places[item.images] = groups.count }
                groups.append([item])
            }
        }
        return groups.flatMap { $0 }
    }

    /// How far a run is.
    public struct Progress: Sendable {
        /// Answers that exist, of all cells.
        public let done: Int
        /// Answers there will be.
        public let total: Int

        /// `done` of `total` answers.
        public init(done: Int, total: Int) {
            self.done = done
            self.total = total
        }
    }

    /// Asks what has no answer yet, or only an error; `capacity` questions are answered at a time.
    ///
    /// `threads` says how many threads the model computes with: it stands beside the seconds of each answer. `memory` bounds
    /// what answers and shared results take.
    public func run(
        model: any VisionLanguageModel, processor: any VisionLanguageProcessor, capacity: Int, threads: Int? = nil,
        memory: ModelMemory.Shares? = nil, progress: (Progress) -> Void
    ) throws -> [CellAnswers] {
        let journals = try cells.map { try AnswerJournal(Self.file(of: $0, in: folder)) }
        let plans = try cells.map { try $0.plan(model.configuration.depth) }
        if let memory { TensorMemory.plan(bytes: memory.lasting) }
        let engine = Engine(
            model: model, tokenizer: processor.tokenizer, capacity: capacity,
            sharedBytes: memory?.shared ?? ModelMemory.usualShared,
            prefillRows: memory?.prefillRows ?? ModelMemory.usualPrefillRows, cacheBytes: memory?.cache ?? .max)
        var done = journals.reduce(0) { sum, journal in sum + items.count { !journal.lacks($0.id.rawValue) } }
        progress(Progress(done: done, total: items.count * cells.count))
        for start in stride(from: 0, to: items.count, by: Self.questionsAtOnce) {
            let asked = items[start..<min(start + Self.questionsAtOnce, items.count)]
            guard journals.contains(where: { journal in asked.contains { journal.lacks($0.id.rawValue) } }) else {
                continue
            }
            var pictures: [String: Result<PictureInput, any Error>] = [:]
            for image in asked.flatMap(\.images) where pictures[image] == nil {
                pictures[image] = Result { try processor.picture(image, in: batch) }
            }
            let prepared = asked.map { item in
                let input = Result {
                    Input(
                        prompt: try processor.prompt(of: item, in: batch),
                        pictures: try item.images.compactMap { try pictures[$0]?.get() })
                }
                return (item, input)
            }
            for (index, cell) in cells.enumerated() {
                let journal = journals[index]
                // Where there is no picture nothing is reduced: the first cell's answer is every cell's.
                let known = asked.filter { $0.images.isEmpty && journal.lacks($0.id.rawValue) }
                    .compactMap { journals[0].answer(to: $0.id.rawValue) }
                try journal.append(known)
                let missing = prepared.filter { journal.lacks($0.0.id.rawValue) }
                let rows = try Self.answers(missing, engine, threads: threads) { number, input, item in
                    GenerationRequest(
                        id: UInt64(number), prompt: input.prompt,
                        pictures: input.pictures.map {
                            GenerationRequest.Picture($0, key: "\($0.sha256) \(cell.name)")
                        },
                        plan: plans[index],
                        sampling: .greedy, maxTokens: item.maxTokens ?? batch.generation.maxTokens,
                        stop: batch.generation.stop)
                }
                try journal.append(rows)
                done += known.count + rows.count
                progress(Progress(done: done, total: items.count * cells.count))
            }
        }
        return zip(cells, journals).map { cell, journal in CellAnswers(cell, items: items, rows: journal.rows) }
    }

    /// Writes the questions into the folder of the run, one item a line in the order in which they are asked, and returns the
    /// file.
    public func writeQuestions() throws -> URL {
        let file = folder.appendingPathComponent("questions.jsonl")
        try Data(items.map { $0.json + "\n" }.joined().utf8).write(to: file, options: .atomic)
        return file
    }

    /// Keeps answers that were made elsewhere, of all cells.
    ///
    /// - Parameter answers: Those of a cell to questions of these ids that it lacks, errors among them.
    public func taking(_ answers: (GridCell, [String]) throws -> [AnswerRow]) throws -> [CellAnswers] {
        try cells.map { cell in
            let journal = try AnswerJournal(Self.file(of: cell, in: folder))
            try journal.append(answers(cell, items.map(\.id.rawValue).filter(journal.lacks)))
            return CellAnswers(cell, items: items, rows: journal.rows)
        }
    }

    /// What is there without asking anything: the cells that have answers, over the questions that all of them have.
    public func answersSoFar() throws(EvaluationError) -> [CellAnswers] {
        var found: [(cell: GridCell, rows: [String: AnswerRow])] = []
        for cell in cells {
            let rows = try AnswerJournal.read(Self.file(of: cell, in: folder))
            if items.contains(where: { rows[$0.id.rawValue] != nil }) { found.append((cell, rows)) }
        }
        let common = items.filter { item in found.allSatisfy { $0.rows[item.id.rawValue] != nil } }
        guard found.first?.cell == .baseline, !common.isEmpty else {
            throw EvaluationError(
                .unfinished, "\(folder.path) has no question that 'none' and all other cells with answers have answered"
            )
        }
        return found.map { CellAnswers($0.cell, items: common, rows: $0.rows) }
    }

    /// How many questions a whole run asks in each cell.
    public var questions: Int { items.count }

    /// Where the answers of a cell are.
    static func file(of cell: GridCell, in folder: URL) -> URL {
        folder.appendingPathComponent(EvaluationSettings.answers).appendingPathComponent(cell.name + answerSuffix)
    }
    /// How the name of a cell's file ends.
    static let answerSuffix = ".jsonl"

    private struct Input {
        let prompt: MultimodalPrompt
        let pictures: [PictureInput]
    }

    private static func answers(
        _ prepared: [(Item, Result<Input, any Error>)], _ engine: Engine, threads: Int?,
        _ request: (Int, Input, Item) throws -> GenerationRequest
    ) throws -> [AnswerRow] {
        var rows = [AnswerRow?](repeating: nil, count: prepared.count)
        for (number, (item, input)) in prepared.enumerated() {
            switch input {
            case .success(let input): engine.admit(try request(number, input, item))
            case .failure(let error): rows[number] = AnswerRow(id: item.id.rawValue, answer: nil, error: "\(error)")
            }
        }
        while !engine.isIdle {
            for ended in try engine.step() {
                let number = Int(ended.id)
                rows[number] = AnswerRow(
                    prepared[number].0.id.rawValue, ended.result, threads: threads, capacity: engine.capacity)
            }
        }
        return rows.compactMap(\.self)
    }
}

extension AnswerRow {
    fileprivate init(
        _ id: String, _ result: Result<GenerationResult, any Error>, threads: Int?, capacity: Int
    ) {
        switch result {
        case .failure(let error): self.init(id: id, answer: nil, error: "\(error)")
        case .success(let result):
            self.init(
                id: id, answer: result.text, delivered: result.features.rows, left: result.trace.kept.count,
                flops: result.flops.total, prefillFLOPs: result.flops.total - result.flops.decode,
                seconds: result.seconds.total, threads: threads, capacity: capacity,
                kept: Self.mask(result.trace.kept, of: result.trace.leftAt.count))
        }
    }

    /// The numbers of tokens among `count` as ``kept`` holds them, one bit each.
    public static func mask(_ tokens: [UInt16], of count: Int) -> Data {
        var bits = Data(count: (count + 7) / 8)
        for token in tokens { bits[Int(token) / 8] |= 1 << (token % 8) }
        return bits
    }
}

extension Item {
    /// All items of a batch.
    static func all(of source: ItemSource) throws -> [Item] {
        var lines = try ItemLines(source)
        var items: [Item] = []
        while let line = try lines.next() {
            let place = source.path + (line.number.map { ", line \($0)" } ?? "")
            guard let text = line.text else {
                throw EvaluationError(.badData, "\(place): \(line.problem ?? "there is no item")")
            }
            do {
                items.append(try Item(json: text))
            } catch {
                throw EvaluationError(.badData, "\(place): \(error)")
            }
        }
        return items
    }
}
