public import Foundation
internal import JobVocabulary

/// A benchmark's questions as items of a batch: what `winnow run`, `submit` and `eval run` read.
public enum BenchmarkItems {
    /// The name of the items file inside the benchmark's folder, which splits may share.
    public static func file(_ benchmark: String) -> String { "\(benchmark).jsonl" }

    /// The id of the item that asks the question at `row`.
    public static func id(_ benchmark: String, row: Int) -> String {
        let digits = "\(row)"
        return "\(benchmark)/" + String(repeating: "0", count: max(0, 6 - digits.count)) + digits
    }

    /// The benchmark and the row of an item, if it belongs to a benchmark.
    public static func question(_ id: String) -> (benchmark: String, row: Int)? {
        let parts = id.split(separator: "/", omittingEmptySubsequences: false)
        guard parts.count == 2, BenchmarkCatalogue.all.contains(where: { $0.name == parts[0] }), let row = Int(parts[1])
        else { return nil }
        return (String(parts[0]), row)
    }

    /// One JSON object a line for each question; text-only ones say so.
    public static func lines(_ benchmark: any Benchmark, _ questions: [BenchmarkQuestion]) throws -> Data {
        struct Line: Encodable {
            let id: String
            let image: String?
            let prompt: String
            let labels: [String: String]

            enum CodingKeys: CodingKey { case id, image, prompt, labels }

            func encode(to encoder: any Encoder) throws {
                var container = encoder.container(keyedBy: CodingKeys.self)
                try container.encode(id, forKey: .id)
                try container.encode(image, forKey: .image)  // null, not left out
                try container.encode(prompt, forKey: .prompt)
                try container.encode(labels, forKey: .labels)
            }
        }
        let encoder = JSONEncoder.canonical
        var data = Data()
        for question in questions {
            data += try encoder.encode(
                Line(
                    id: id(benchmark.name, row: question.row), image: question.image, prompt: question.prompt,
                    labels: question.category.map { ["category": $0] } ?? [:]))
            data.append(0x0A)
        }
        return data
    }
}
