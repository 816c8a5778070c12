import Evaluation
import Foundation
import JobModel
import TestSupport
import VisionLanguage

/// A grid whose answers a test makes up, as journals in a folder; no model is asked.
struct MadeGrid {
    /// One line of a journal.
    struct Row: Encodable {
        var id: String
        var answer: String? = "x"
        var error: String?
        var delivered = 576
        var left = 576
        var flops = 1_000_000
        var flops_to_first_token = 400_000
        var seconds = 1.0
        var threads: Int?
        var capacity: Int?
        var kept: Data?
    }

    let folder: TemporaryDirectory
    let batch: BatchDescription

    /// Questions with these ids, about these pictures; `accepted` is the right answer to all of them.
    init(_ questions: [(id: String, image: String?)], accepted: String? = "x") throws {
        folder = try TemporaryDirectory()
        let answers = accepted.map { ", \"answers\": [\"\($0)\"]" } ?? ""
        let lines = questions.map {
            let image = $0.image.map { "\"\($0)\"" } ?? "null"
            return "{\"id\": \"\($0.id)\", \"image\": \(image), \"prompt\": \"What?\"\(answers)}\n"
        }
        try Data(lines.joined().utf8).write(to: folder.file("items.jsonl"))
        try FileManager.default.createDirectory(at: folder.file("answers"), withIntermediateDirectories: true)
        let path = folder.url.path
        batch = BatchDescription(name: "made", model: path, items: path + "/items.jsonl", images: path, results: path)
    }

    /// The answers of `none` and of methods at budgets, as a report finds them.
    func answers(
        _ none: [Row], _ others: [(method: String, keep: Int, rows: [Row])] = []
    ) throws -> [CellAnswers] {
        guard let configuration = LLaVAConfiguration.named("llava-1.5-7b") else { return [] }
        let encoder = JSONEncoder()
        func write(_ rows: [Row], _ name: String) throws {
            var lines = Data()
            for row in rows {
                lines += try encoder.encode(row)
                lines.append(0x0A)
            }
            try lines.write(to: folder.file("answers/\(name).jsonl"))
        }
        try write(none, "none")
        var cells = [GridCell.baseline]
        for other in others {
            try write(other.rows, "\(other.method)@\(other.keep)")
            let grid = GridCell.grid(
                [try MethodChoice(parsing: other.method)], budgets: [other.keep], model: configuration.depth)
            cells += grid.cells.dropFirst()
        }
        return try GridRunner(batch, cells: cells, folder: folder.url).answersSoFar()
    }
}
