import Analysis
import Evaluation
import Foundation
import Generation
import ImageDecoding
import JobModel
import JobVocabulary
import ResultFiles
import VisionLanguage

/// The cells of an evaluation as a report takes them.
struct EvaluatedCells {
    let methods: [EvaluatedMethod]

    /// Reads the folder of an evaluation.
    ///
    /// - Parameter images: The folder that pictures' paths start from; nil takes the batch's.
    init(_ folder: URL, images: String?) throws {
        let evaluation = try EvaluationFolder(
            folder, images: images.map { URL(fileURLWithPath: $0).standardizedFileURL.path })
        let batch = evaluation.batch
        let scores = EvaluatedVerdicts(evaluation)
        let tiles = SeenTiles(batch)
        let baseline = evaluation.cells.first { $0.cell == .baseline }
        let places = Dictionary(
            (baseline?.items ?? []).enumerated().map { ($1.id, $0) }, uniquingKeysWith: { first, _ in first })
        func unreduced(_ id: ItemID) -> AnswerRow? { places[id].flatMap { baseline?.rows[$0] } }
        methods = evaluation.cells.enumerated().map { number, answers in
            let rows = Dictionary(
                answers.rows.compactMap(\.self).map { ($0.id, $0) }, uniquingKeysWith: { first, _ in first })
            return EvaluatedMethod(
                name: answers.cell.name, method: answers.cell.choice.label, budget: answers.cell.keep,
                model: URL(fileURLWithPath: batch.model).lastPathComponent, path: folder.path, images: batch.images,
                answers: answers.items.indices.compactMap { place in
                    let item = answers.items[place]
                    return answers.rows[place].map { row in
                        EvaluatedMethod.Answer(
                            item: item, text: row.answer, error: row.error, isRight: scores[number, place],
                            tokensIn: unreduced(item.id)?.delivered ?? row.delivered, tokensOut: row.left,
                            flops: Double(row.flops), flopsToFirstToken: Double(row.prefillFLOPs), seconds: row.seconds)
                    }
                },
                describe: { answer in
                    var row = ResultRow(answer, method: answers.cell.choice.method)
                    let id = answer.item.id
                    tiles.describe(answer.item, in: &row)
                    if let own = rows[id.rawValue] { row.setKept(own, unreduced: unreduced(id)) }
                    return row
                })
        }
    }
}

/// Which answers of an evaluation are right.
private struct EvaluatedVerdicts {
    private let verdicts: [[Bool?]?]

    /// By the answers that items name, or the rules of the benchmark that they ask if those call an answer right or wrong.
    init(_ evaluation: EvaluationFolder) {
        let cells = evaluation.cells
        if cells.allSatisfy({ $0.right != nil }) {
            verdicts = cells.map { ScoreParts(mean: $0.right ?? []).verdicts }
            return
        }
        let batch = evaluation.batch
        let scoring = Result {
            let configuration = try LLaVAConfiguration(directory: batch.model, visionTower: batch.visionTower)
            return try EvalScoring(cells, batch, configuration: configuration, folder: nil)
        }
        if case .failure(let error) = scoring { printError("winnow: answers are not scored: \(error)") }
        let parts = (try? scoring.get())?.parts ?? [ScoreParts?](repeating: nil, count: cells.count)
        verdicts = parts.map { $0?.verdicts }
    }

    subscript(cell: Int, item: Int) -> Bool? { verdicts[cell]?[item] ?? nil }
}

/// What the model sees of pictures; worked out again, since answers of an evaluation do not say it.
private final class SeenTiles {
    private let batch: BatchDescription
    private let model: Result<(processor: any VisionLanguageProcessor, side: Int), any Error>
    private var pictures: [String: Seen] = [:]
    private var hasComplained = false

    /// What is known of one picture.
    private struct Seen {
        let sha256: String
        let width, height: Int
        let orientation: UInt8
        let windows: [PictureWindow]

        init(_ input: PictureInput) {
            let geometries = input.tiles.map(\.geometry)
            (sha256, orientation, windows) = (input.sha256, input.orientation, geometries.map(\.window))
            (width, height) = (geometries[0].sourceWidth, geometries[0].sourceHeight)
        }
    }

    init(_ batch: BatchDescription) {
        self.batch = batch
        model = Result {
            let configuration = try LLaVAConfiguration(directory: batch.model, visionTower: batch.visionTower)
            return (
                try ModelLoader.processor(directory: batch.model, visionTower: batch.visionTower),
                configuration.vision.side
            )
        }
    }

    /// Adds the tiles of an item's pictures to a row; none of them if one cannot be made.
    func describe(_ item: Item, in row: inout ResultRow) {
        do {
            let (processor, side) = try model.get()
            let seen = try item.images.map { image in
                if let known = pictures[image] { return known }
                let picture = Seen(try processor.picture(image, in: batch))
                pictures[image] = picture
                return picture
            }
            for (index, picture) in seen.enumerated() {
                row.pictures.describe(
                    index, sha256: picture.sha256, width: picture.width, height: picture.height,
                    orientation: picture.orientation)
                for (tile, window) in picture.windows.enumerated() {
                    row.segments.append(
                        picture: index, tile: tile, rows: side, columns: side, left: window.left, top: window.top,
                        width: window.width, height: window.height)
                }
            }
        } catch {
            if !hasComplained { printError("winnow: the gallery lacks pictures: \(error)") }
            hasComplained = true
        }
    }
}

extension ResultRow {
    /// What an evaluation keeps of an answer, without pictures and tokens.
    fileprivate init(_ answer: EvaluatedMethod.Answer, method: String) {
        self.init(
            id: answer.item.id.rawValue, images: answer.item.images, prompt: answer.item.prompt, method: method,
            attempt: 1)
        self.answer = answer.text ?? ""
        if let error = answer.error {
            (status, finishReason, self.error) = (.failed, .error, error)
        }
        visualTokensIn = answer.tokensIn
        visualTokensOut = answer.tokensOut
        let encoded = answer.item.answers.isEmpty ? nil : try? JSONEncoder().encode(answer.item.answers)
        expectedAnswers = encoded.map { String(decoding: $0, as: UTF8.self) } ?? ""
        correct = answer.isRight.map { $0 ? 1 : 0 } ?? -1
        flops.prefill = answer.flopsToFirstToken
        flops.decode = answer.flops - answer.flopsToFirstToken
        seconds.prefill = answer.seconds
    }

    /// Marks the tokens that are left at the end, as far as that was written down. Those that are absent without any reduction
    /// never entered the language model.
    fileprivate mutating func setKept(_ own: AnswerRow, unreduced: AnswerRow?) {
        guard own.kept != nil, segments.count > 0 else { return }
        tokens.leftAt = (0..<segments.tokens).map { token in
            if own.keeps(token) == true { return Tokens.survived }
            return unreduced?.keeps(token) == false ? Tokens.leftOut : 0
        }
        tokens.wentTo = tokens.leftAt.indices.map {
            tokens.leftAt[$0] == Tokens.survived ? UInt16(clamping: $0) : Tokens.discarded
        }
    }
}
