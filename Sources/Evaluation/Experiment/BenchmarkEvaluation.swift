public import Foundation

/// Official files and scores for the answers to a benchmark, wherever they were made.
public struct BenchmarkEvaluation: Sendable {
    /// The score, or nil if a server or a judge decides.
    public let result: BenchmarkResult?
    /// What is handed in: LLaVA's answer file, and what its scripts make of it.
    public let files: [OfficialFile]
    private let questions: [BenchmarkQuestion]
    private let name: String

    /// Scores `texts`, answers by row, of `benchmark`, whose data are in `data`; `model` names the model in the files.
    ///
    /// Throws `unfinished` while an answer is missing, so that no server gets a file with holes; of ScienceQA, which has no
    /// such file, only the questions with a picture are needed.
    public init(_ benchmark: any Benchmark, texts: [Int: String], data: DataFolder, model: String) throws {
        let answers = try BenchmarkAnswers(benchmark.questions(in: data), texts: texts, model: model)
        let own = OfficialFile(
            path: "answers/\(model).jsonl", contents: try answers.llavaLines(benchmark.name))
        files = try [own] + benchmark.uploads(answers, in: data)
        let canScore = benchmark.parts.allSatisfy { $0.purpose != .truth || data.holds($0.path) }
        result = canScore ? try benchmark.score(answers, in: data) : nil
        (questions, name) = (answers.questions, benchmark.name)
    }

    /// The score in samples of the pictures, drawn when asked for; nil if there is none, or it is no sum over questions.
    public var draws: ScoreDraws? { result.flatMap { ScoreDraws($0, of: questions, benchmark: name) } }

    /// Writes the files below `folder`; returns their paths.
    public func write(to folder: URL) throws -> [String] {
        try files.map { file in
            let url = folder.appendingPathComponent(file.path)
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
            try file.contents.write(to: url, options: .atomic)
            return url.path
        }
    }
}
