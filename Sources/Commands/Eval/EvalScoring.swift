import Evaluation
import Foundation
import JobModel
import VisionLanguage

/// The scores of a grid's cells: right answers where the items name them, the official rules where they ask a benchmark.
struct EvalScoring {
    /// What the scores are.
    let measure: String
    /// One score a cell; nil if a server or a judge decides.
    let scores: [Double?]
    /// What each question adds to its cell's score.
    let parts: [ScoreParts?]

    /// Scores the answers; for a benchmark, official files and `scores.json` go into `folder`, if there is one.
    init(
        _ answers: [CellAnswers], _ batch: BatchDescription, configuration: LLaVAConfiguration, folder: URL?
    ) throws {
        if answers.allSatisfy({ $0.right != nil }) {
            measure = "right answers, %"
            let right = answers.map { $0.right ?? [] }
            parts = right.map { ScoreParts(mean: $0) }
            scores = right.map { 100 * $0.reduce(0, +) / Double(max($0.count, 1)) }
            return
        }
        guard let name = answers.first?.benchmark?.name else {
            measure = "no score: the items name no answers"
            scores = [Double?](repeating: nil, count: answers.count)
            parts = [ScoreParts?](repeating: nil, count: answers.count)
            return
        }
        let benchmark = try BenchmarkCatalogue.benchmark(named: name)
        // `eval import` writes the items into the benchmark's folder.
        let data = DataFolder(URL(fileURLWithPath: batch.items).deletingLastPathComponent())
        let model = URL(fileURLWithPath: batch.model).lastPathComponent
        var measured: [MeasuredScore] = [], scores: [Double?] = [], parts: [ScoreParts?] = []
        var measure = "scored elsewhere: \(benchmark.judge ?? "the truth is missing")"
        for answers in answers {
            let cell = answers.cell
            let evaluation: BenchmarkEvaluation
            do {
                evaluation = try BenchmarkEvaluation(
                    benchmark, texts: answers.benchmark?.texts ?? [:], data: data, model: "\(model)_\(cell.name)")
            } catch let error as EvaluationError {
                // Answers took hours, a truth file can be put right: the report is printed all the same.
                printError("\(cell.name) is not scored: \(error)")
                if scores.allSatisfy({ $0 == nil }) { measure = "\(benchmark.name), not scored (see the errors)" }
                scores.append(nil)
                parts.append(nil)
                continue
            }
            if let folder { _ = try evaluation.write(to: folder.appendingPathComponent("official")) }
            scores.append(evaluation.result?.headline.value)
            guard let result = evaluation.result else {
                parts.append(nil)
                continue
            }
            measure = "\(benchmark.name), \(result.headline.name)"
            if folder != nil {
                measured.append(
                    MeasuredScore(
                        benchmark: benchmark.name, model: model, configuration: configuration,
                        method: cell.choice.label, keep: cell.keep, result: result, draws: evaluation.draws))
            }
            parts.append(ScoreParts(result, items: answers.items))
        }
        if let folder, !measured.isEmpty { try MeasuredScore.write(measured, to: folder) }
        (self.measure, self.scores, self.parts) = (measure, scores, parts)
    }
}
