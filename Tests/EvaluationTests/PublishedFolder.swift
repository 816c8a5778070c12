import Evaluation
import Foundation
import TestSupport

/// A small benchmark folder in the published layout, made for a test.
struct PublishedFolder {
    let directory: TemporaryDirectory
    var data: DataFolder { DataFolder(directory.url) }

    init(_ files: [String: String] = [:], pictures: [String] = []) throws {
        directory = try TemporaryDirectory()
        for (path, text) in files { try write(path, text) }
        for picture in pictures { try write(picture, "") }
    }

    func write(_ path: String, _ text: String) throws {
        let url = directory.file(path)
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(text.utf8).write(to: url)
    }

    /// The result and the official files for answers in the order of the questions; nil is no answer.
    func evaluate(_ name: String, _ answers: [String?]) throws -> BenchmarkEvaluation {
        let texts = answers.enumerated().compactMap { row, text in text.map { (row, $0) } }
        return try BenchmarkEvaluation(
            BenchmarkCatalogue.benchmark(named: name), texts: Dictionary(uniqueKeysWithValues: texts), data: data,
            model: "model")
    }

    func questions(_ name: String) throws -> [BenchmarkQuestion] {
        try BenchmarkCatalogue.benchmark(named: name).questions(in: data)
    }
}

extension BenchmarkEvaluation {
    /// The text of an official file.
    func text(_ path: String) -> String? {
        files.first { $0.path == path }.map { String(decoding: $0.contents, as: UTF8.self) }
    }

    /// An official file as JSON.
    func json(_ path: String) throws -> Any? {
        try files.first { $0.path == path }.map { try JSONSerialization.jsonObject(with: $0.contents) }
    }

    /// A score by its name.
    func score(_ name: String) -> Double? {
        result.flatMap { ([$0.headline] + $0.details).first { $0.name == name }?.value }
    }
}

/// Lines of JSON in LLaVA's form of question files.
func llavaLines(_ rows: [(id: String, image: String, text: String, category: String?)]) -> String {
    rows.map { row in
        let text = row.text.replacingOccurrences(of: "\n", with: "\\n")
        let category = row.category.map { ", \"category\": \"\($0)\"" } ?? ""
        return "{\"question_id\": \(row.id), \"image\": \"\(row.image)\", \"text\": \"\(text)\"\(category)}\n"
    }.joined()
}
