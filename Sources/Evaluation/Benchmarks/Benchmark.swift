public import Foundation

/// A public benchmark: where its questions are, how the model is asked, what is handed in, and how it is scored.
///
/// Prompts, limits and files are those of LLaVA-1.5's evaluation scripts, so that numbers can stand beside published ones.
public protocol Benchmark: Sendable {
    /// The name on the command line.
    var name: String { get }
    /// What it asks, in one line.
    var title: String { get }
    /// What its folder holds, and where each part is published.
    var parts: [DataPart] { get }
    /// Most tokens of an answer in the official script.
    var maxTokens: Int { get }
    /// Questions in the file as published, where that is known.
    var officialCount: Int? { get }
    /// Who decides where it is not scored here.
    var judge: String? { get }

    /// The questions in the order of the official file.
    func questions(in data: DataFolder) throws(EvaluationError) -> [BenchmarkQuestion]
    /// What official tools read otherwise than its author meant it, with file and row.
    func remarks(in data: DataFolder) throws(EvaluationError) -> [String]
    /// Writes pictures that the official file holds inside itself.
    func unpackPictures(in data: DataFolder) throws(EvaluationError)
    /// What is handed in besides the answers as LLaVA writes them.
    func uploads(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> [OfficialFile]
    /// The scores by the official rules; nil if a server or a judge decides.
    func score(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> BenchmarkResult?
}

extension Benchmark {
    /// Default: the number is not known.
    public var officialCount: Int? { nil }
    /// Default: the answers are scored here.
    public var judge: String? { nil }
    /// Default: there is nothing to remark on the data.
    public func remarks(in data: DataFolder) throws(EvaluationError) -> [String] { [] }
    /// Default: there is nothing to unpack.
    public func unpackPictures(in data: DataFolder) throws(EvaluationError) {}
    /// Default: no further files.
    public func uploads(_ answers: BenchmarkAnswers, in data: DataFolder) throws(EvaluationError) -> [OfficialFile] {
        []
    }
}

/// Something that a benchmark's folder must hold.
public struct DataPart: Sendable, Hashable {
    /// What it is needed for.
    public enum Purpose: String, Sendable {
        /// Asking the model.
        case questions, pictures
        /// Scoring the answers here.
        case truth
    }

    /// Path inside the folder, as LLaVA's instructions place it.
    public let path: String
    /// What it is needed for.
    public let purpose: Purpose
    /// Where the official project publishes it.
    public let published: String

    init(_ path: String, _ purpose: Purpose, published: String) {
        self.path = path
        self.purpose = purpose
        self.published = published
    }

    /// LLaVA's archive of question files, which several benchmarks take theirs from.
    static let llavaArchive =
        "eval.zip, linked in docs/Evaluation.md of github.com/haotian-liu/LLaVA; unpack it to playground/data/eval"
}

/// One question as the model is asked it.
public struct BenchmarkQuestion: Sendable, Hashable {
    /// Place in the official question file, from 0; official ids repeat in some of them, places do not.
    public let row: Int
    /// The official id.
    public let id: OfficialID
    /// The picture, as a path inside the benchmark's folder; nil for a question about a text alone.
    public let image: String?
    /// What the model is asked, without `<image>`.
    public let prompt: String
    /// What the official answer file records as the prompt.
    public let recorded: String
    /// The official category.
    public let category: String?
    /// The options of a choice.
    public let options: [String]

    init(
        row: Int, id: OfficialID, image: String?, prompt: String, recorded: String? = nil, category: String? = nil,
        options: [String] = []
    ) {
        self.row = row
        self.id = id
        self.image = image
        self.prompt = prompt
        self.recorded = recorded ?? prompt
        self.category = category
        self.options = options
    }
}

/// An id as official files write it: a number or a text.
public enum OfficialID: Sendable, Hashable, Codable {
    case number(Int)
    case text(String)

    /// Reads a number or a text.
    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if let number = try? container.decode(Int.self) {
            self = .number(number)
        } else {
            self = .text(try container.decode(String.self))
        }
    }

    /// Writes the id in the form in which it was read.
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        switch self {
        case .number(let number): try container.encode(number)
        case .text(let text): try container.encode(text)
        }
    }

    /// The id as text.
    public var text: String {
        switch self {
        case .number(let number): "\(number)"
        case .text(let text): text
        }
    }
}

/// A file for a server, a judge or an official script.
public struct OfficialFile: Sendable, Hashable {
    /// Path below the folder that the caller chooses.
    public let path: String
    /// The bytes.
    public let contents: Data
}

/// Scores of one benchmark.
public struct BenchmarkResult: Sendable, Hashable {
    /// One number.
    public struct Score: Sendable, Hashable, Codable {
        /// What it measures.
        public let name: String
        /// Its value, in the unit of published tables.
        public let value: Double

        init(_ name: String, _ value: Double) {
            self.name = name
            self.value = value
        }
    }

    /// The number that published tables print.
    public let headline: Score
    /// Other numbers that the official script prints.
    public let details: [Score]
    /// What each scored question contributes to the headline, where that is a mean; by row.
    public let contributions: [Int: Double]
    /// How the headline comes from sums over questions.
    public let rule: ScoreRule
    /// What rows add to those sums.
    public let parts: [Int: [Double]]

    init(
        _ headline: Score, details: [Score] = [], contributions: [Int: Double] = [:], rule: ScoreRule = .mean,
        parts: [Int: [Double]]? = nil
    ) {
        self.headline = headline
        self.details = details
        self.contributions = contributions
        self.rule = rule
        self.parts = parts ?? contributions.mapValues { [$0, 1] }
    }

    /// A mean over questions, in per cent.
    init(mean name: String, of contributions: [Int: Double], details: [Score] = []) {
        let values = contributions.sorted { $0.key < $1.key }.map(\.value)
        let mean = values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
        self.init(Score(name, 100 * mean), details: details, contributions: contributions)
    }
}
