import ArgumentParser
import Evaluation
import Foundation
import JobVocabulary
import ResultFiles
import VisionLanguage

/// `winnow eval score NAME`: official files and scores from answers that exist.
struct EvalScoreCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "score", abstract: "Make official answer files and scores of answers to a benchmark.",
        discussion: """
            Answers come from the results of 'winnow run' or 'submit', or from a file as LLaVA's evaluation scripts write \
            it, in the order of the questions; of ScienceQA those without a picture may be left out.
            """)

    @Argument(help: "The benchmark, such as pope.")
    var name: String

    @Option(help: "The benchmark's folder.")
    var data: String

    @Option(help: "The results folder of a batch that ran the benchmark's items.")
    var results: String?

    @Option(help: "A file of answers as LLaVA writes it: one JSON object with question_id and text a line.")
    var answers: String?

    @Option(help: "The folder for official files; default: official/ in the benchmark's folder.")
    var out: String?

    @Option(help: "How to print: table or json.")
    var output = OutputFormat.table

    func validate() throws {
        guard (results == nil) != (answers == nil) else { throw ValidationError("give --results or --answers") }
    }

    func run() throws {
        let benchmark = try BenchmarkCatalogue.benchmark(named: name)
        let folder = DataFolder(URL(fileURLWithPath: data, isDirectory: true))
        let found: FoundAnswers
        if let results {
            found = try FoundAnswers(results: results, benchmark: benchmark.name)
        } else if let answers {
            found = try FoundAnswers(file: answers, questions: benchmark.questions(in: folder))
        } else {
            return
        }
        let target = URL(fileURLWithPath: out ?? folder.file("official").path, isDirectory: true)
        let evaluation = try BenchmarkEvaluation(benchmark, texts: found.texts, data: folder, model: found.model)
        let files = try evaluation.write(to: target)
        if let result = evaluation.result, let origin = found.origin {
            let measured = MeasuredScore(
                benchmark: benchmark.name, model: URL(fileURLWithPath: origin.model).lastPathComponent,
                configuration: try LLaVAConfiguration(directory: origin.model), method: origin.method,
                keep: origin.keep, result: result, draws: evaluation.draws)
            try MeasuredScore.write([measured], to: target)
        }
        let report = ScoreReport(benchmark, evaluation.result, files: files, answered: found.texts.count)
        switch output {
        case .json: try printJSON(report)
        case .table, .quiet: print(report.text())
        }
    }
}

/// Answers by row of the benchmark, and where they are from.
private struct FoundAnswers {
    let texts: [Int: String]
    let model: String
    /// Checkpoint and method, where the results tell them.
    let origin: (model: String, method: String, keep: Int?)?

    /// From the shards of a results folder.
    init(results: String, benchmark: String) throws {
        struct Method: Decodable {
            let name: String
            let keep: Int
            let options: [String: String]?
        }
        let root = URL(fileURLWithPath: results).appendingPathComponent(ResultsLayout.shards)
        let files = FileManager.default.enumerator(at: root, includingPropertiesForKeys: nil)?.compactMap { $0 as? URL }
            .filter { $0.path.hasSuffix(ResultsLayout.shardSuffix) }
        guard let files, !files.isEmpty else {
            throw CommandFailure(ExitCodes.usage, "there is no shard of results below \(root.path)")
        }
        var texts: [Int: String] = [:], origins: [String: (model: String, method: String, keep: Int?)] = [:]
        for file in files.sorted(by: { $0.path < $1.path }) {
            let reader = try ShardReader(file.path, reading: .scalars)
            let method = try JSONDecoder().decode(Method.self, from: Data(reader.header.methodJSON.utf8))
            origins["\(reader.header.model) \(reader.header.methodJSON)"] = (
                reader.header.model, MethodChoice(method.name, settled: method.options ?? [:]).label,
                method.name == "none" ? nil : method.keep
            )
            for row in try reader.rows(features: false, trace: false) {
                guard let question = BenchmarkItems.question(row.id), question.benchmark == benchmark else {
                    throw CommandFailure(
                        ExitCodes.usage, "\(file.path) holds \(row.id), which is no question of \(benchmark)")
                }
                texts[question.row] = row.answer
            }
        }
        guard origins.count == 1, let origin = origins.values.first else {
            throw CommandFailure(ExitCodes.usage, "\(results) holds answers of several models or methods")
        }
        self.texts = texts
        self.origin = origin
        let keep = origin.keep.map { "@\($0)" } ?? ""
        model = "\(URL(fileURLWithPath: origin.model).lastPathComponent)_\(origin.method)\(keep)"
    }

    /// From a file as LLaVA writes it.
    init(file: String, questions: [BenchmarkQuestion]) throws {
        let url = URL(fileURLWithPath: file)
        texts = try BenchmarkAnswers.texts(in: url, to: questions)
        model = url.deletingPathExtension().lastPathComponent
        origin = nil
    }
}

/// Scores and files.
private struct ScoreReport: Encodable {
    let benchmark: String
    let answered: Int
    let headline: String?
    let scores: [BenchmarkResult.Score]
    let judge: String?
    let files: [String]

    init(_ benchmark: any Benchmark, _ result: BenchmarkResult?, files: [String], answered: Int) {
        self.benchmark = benchmark.name
        self.answered = answered
        headline = result?.headline.name
        scores = result.map { [$0.headline] + $0.details } ?? []
        judge = result == nil ? benchmark.judge ?? "nobody here: 'winnow eval import' says what is missing" : nil
        self.files = files
    }

    func text() -> String {
        var table = TextTable(["score", "value"], rightAligned: [1])
        for score in scores { table.add([score.name, String(format: "%.2f", score.value)]) }
        let head = "\(benchmark): \(answered) answers" + (judge.map { ", scored by \($0)" } ?? "")
        let list = files.map { "  \($0)" }.joined(separator: "\n")
        return [head, scores.isEmpty ? "" : table.text(), "Files:\n\(list)"].filter { !$0.isEmpty }
            .joined(separator: "\n\n")
    }
}
