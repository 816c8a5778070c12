import Evaluation
import Foundation
import JobModel
import Tensors
import TestSupport
import VisionLanguage

/// The demo model, ready to answer the questions of a batch in a grid.
struct DemoGrid {
    let model: LLaVA
    let processor: LLaVAProcessor

    init() throws {
        let directory = Repository.root.appendingPathComponent("Jobs/demo/model").path
        model = try LLaVA(directory: directory, backend: CPUBackend(precision: .float32, threads: 2))
        processor = try LLaVAProcessor(directory: directory, configuration: model.configuration)
    }

    func batch(_ path: String = "Jobs/demo.yaml") throws -> BatchDescription {
        try BatchFile.load(Repository.root.appendingPathComponent(path)).description
    }

    func cells(_ methods: [String], _ budgets: [Int]) throws -> [GridCell] {
        GridCell.grid(
            try methods.map { try MethodChoice(parsing: $0) }, budgets: budgets, model: model.configuration.depth
        ).cells
    }

    func run(
        _ batch: BatchDescription, _ cells: [GridCell], in folder: URL, limit: Int? = nil
    ) throws -> (answers: [CellAnswers], asked: Int) {
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("answers"), withIntermediateDirectories: true)
        var first: Int?, last = 0
        let answers = try GridRunner(batch, cells: cells, folder: folder, limit: limit).run(
            model: model, processor: processor, capacity: 8
        ) { progress in
            first = first ?? progress.done
            last = progress.done
        }
        return (answers, last - (first ?? 0))
    }
}
