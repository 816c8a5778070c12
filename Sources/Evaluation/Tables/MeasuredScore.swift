public import Foundation
internal import JobVocabulary
public import VisionLanguage

/// A benchmark's scores that were measured here, as `scores.json` keeps them.
public struct MeasuredScore: Sendable, Hashable, Codable {
    /// The benchmark.
    public let benchmark: String
    /// The checkpoint folder's name.
    public let model: String
    /// `7b` or `13b` where the checkpoint has the sizes of that LLaVA-1.5; nil for any other model.
    public let size: String?
    /// The method with its options.
    public let method: String
    /// Visual tokens left at the end; nil if nothing is reduced.
    public let keep: Int?
    /// All numbers of the official script by name.
    public let scores: [String: Double]
    /// The benchmark's headline in samples of the pictures; nil if they were not kept.
    public let draws: ScoreDraws?

    /// Scores of a benchmark.
    public init(
        benchmark: String, model: String, configuration: LLaVAConfiguration, method: String, keep: Int?,
        result: BenchmarkResult, draws: ScoreDraws?
    ) {
        self.benchmark = benchmark
        self.model = model
        size =
            ModelSize.allCases.first { size in
                guard let named = LLaVAConfiguration.named(size.configuration) else { return false }
                return named.vision.layers == configuration.vision.layers
                    && named.text.layers == configuration.text.layers
                    && named.text.hidden == configuration.text.hidden
                    && named.text.intermediate == configuration.text.intermediate
            }?.rawValue
        self.method = method
        self.keep = keep
        scores = Dictionary(([result.headline] + result.details).map { ($0.name, $0.value) }) { first, _ in first }
        self.draws = draws
    }

    /// The file in which scores are kept.
    public static let file = "scores.json"

    /// All scores in the `scores.json` files below a folder.
    public static func all(below folder: URL) throws(EvaluationError) -> [MeasuredScore] {
        guard let files = FileManager.default.enumerator(at: folder, includingPropertiesForKeys: nil) else {
            throw EvaluationError(.missingData, "there is no folder \(folder.path)")
        }
        var scores: [MeasuredScore] = []
        for case let url as URL in files where url.lastPathComponent == file { scores += try read(url) }
        return scores.sorted { ($0.benchmark, $0.method, $0.keep ?? .max) < ($1.benchmark, $1.method, $1.keep ?? .max) }
    }

    /// Writes scores into a folder, beside those of other benchmarks, models, methods and budgets that it holds.
    public static func write(_ scores: [MeasuredScore], to folder: URL) throws {
        let url = folder.appendingPathComponent(file)
        let known = FileManager.default.fileExists(atPath: url.path) ? try read(url) : []
        let kept = known.filter { old in !scores.contains { old.measuresTheSame(as: $0) } }
        let encoder = JSONEncoder.canonical
        // A line for each: a thousand lines of draws would hide the scores.
        let lines = try (kept + scores).map { String(decoding: try encoder.encode($0), as: UTF8.self) }
        try Data("[\n\(lines.joined(separator: ",\n"))\n]\n".utf8).write(to: url, options: .atomic)
    }

    private func measuresTheSame(as other: MeasuredScore) -> Bool {
        benchmark == other.benchmark && model == other.model && method == other.method && keep == other.keep
    }

    private static func read(_ url: URL) throws(EvaluationError) -> [MeasuredScore] {
        guard let data = try? Data(contentsOf: url),
            let scores = try? JSONDecoder().decode([MeasuredScore].self, from: data)
        else { throw EvaluationError(.badData, "\(url.path) does not hold scores: move it away") }
        return scores
    }
}
