public import Foundation
import JobModel

/// The folder of a benchmark, laid out as LLaVA's instructions say.
public struct DataFolder: Sendable {
    /// Where it is.
    public let url: URL

    /// The folder at `url`.
    public init(_ url: URL) { self.url = url }

    /// Whether a file or folder is there.
    public func holds(_ path: String) -> Bool { FileManager.default.fileExists(atPath: file(path).path) }

    /// Where a part is.
    public func file(_ path: String) -> URL { url.appendingPathComponent(path) }

    /// The bytes of a file.
    func bytes(_ path: String) throws(EvaluationError) -> Data {
        do {
            return try Data(contentsOf: file(path), options: .mappedIfSafe)
        } catch {
            throw EvaluationError(
                .missingData, "\(file(path).path) cannot be read: 'winnow eval import' says where it is published")
        }
    }

    /// A file that is one JSON value.
    func json<Value: Decodable>(_ path: String, _ type: Value.Type = Value.self) throws(EvaluationError) -> Value {
        let bytes = try bytes(path)
        do {
            return try JSONDecoder().decode(type, from: bytes)
        } catch {
            throw EvaluationError(.badData, "\(file(path).path) is not as published: \(Self.reason(error))")
        }
    }

    /// A file with one JSON object a line.
    func jsonLines<Value: Decodable>(_ path: String, _ type: Value.Type = Value.self) throws(EvaluationError) -> [Value]
    {
        let decoder = JSONDecoder()
        var values: [Value] = []
        for (number, line) in try bytes(path).withoutByteOrderMark.split(separator: 0x0A).enumerated() {
            guard line.contains(where: { $0 != 0x20 && $0 != 0x0D && $0 != 0x09 }) else { continue }
            do {
                values.append(try decoder.decode(type, from: Data(line)))
            } catch {
                throw EvaluationError(
                    .badData, "\(file(path).path), object \(number + 1), is not as published: \(Self.reason(error))")
            }
        }
        return values
    }

    private static func reason(_ error: any Error) -> String {
        switch error {
        case DecodingError.keyNotFound(let key, _): "'\(key.stringValue)' is missing"
        case DecodingError.typeMismatch(_, let context), DecodingError.valueNotFound(_, let context):
            "'\(context.codingPath.map(\.stringValue).joined(separator: "."))' has another type"
        default: "it is not valid JSON"
        }
    }
}

extension Data {
    /// The bytes behind the mark with which some programs begin UTF-8 files.
    var withoutByteOrderMark: Data { starts(with: [0xEF, 0xBB, 0xBF]) ? Data(dropFirst(3)) : self }
}

/// What `winnow eval import` finds out about a folder.
public struct DataCheck: Sendable {
    /// Parts that are not there.
    public let missing: [DataPart]
    /// Questions in the official file; nil while it is missing.
    public let questions: Int?
    /// Pictures that the questions ask about and that are not there.
    public let missingPictures: [String]
    /// Pictures that links place outside of the folder, which no run would open.
    public let picturesOutside: [String]
    /// How many questions are text-only.
    public let withoutPicture: Int

    /// What is wrong with files that are there: they cannot be read, have other questions than the published ones, or are
    /// not the truth for these questions.
    public let problems: [String]

    /// Whether the model can be asked.
    public var canRun: Bool {
        questions != nil && missingPictures.isEmpty && picturesOutside.isEmpty
            && missing.allSatisfy { $0.purpose == .truth }
    }

    /// Looks for everything that `benchmark` needs, pictures one by one, and scores empty answers where the truth is there.
    public init(_ benchmark: any Benchmark, in data: DataFolder) {
        missing = benchmark.parts.filter { !data.holds($0.path) }
        var problems: [String] = [], found: [BenchmarkQuestion]?
        if !missing.contains(where: { $0.purpose == .questions }) {
            do { found = try benchmark.questions(in: data) } catch { problems.append("\(error)") }
        }
        guard let all = found else {
            (questions, missingPictures, picturesOutside, withoutPicture) = (nil, [], [], 0)
            self.problems = problems
            return
        }
        questions = all.count
        withoutPicture = all.count { $0.image == nil }
        var seen: Set<String> = []
        let pictures = all.compactMap(\.image).filter { seen.insert($0).inserted }
        missingPictures = pictures.filter { !data.holds($0) }
        picturesOutside = pictures.filter { ConfinedImage.leadsOut($0, of: data.url.path) }
        if let official = benchmark.officialCount, official != all.count {
            problems.append(
                "\(benchmark.name) has \(all.count) questions here and \(official) as published: scores cannot be compared"
            )
        }
        do { problems += try benchmark.remarks(in: data) } catch { problems.append("\(error)") }
        if missing.isEmpty {
            let texts = Dictionary(all.map { ($0.row, "") }) { first, _ in first }
            do {
                _ = try benchmark.score(BenchmarkAnswers(all, texts: texts, model: benchmark.name), in: data)
            } catch {
                problems.append("the truth does not fit: \(error)")
            }
        }
        self.problems = problems
    }
}
