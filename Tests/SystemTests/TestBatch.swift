import Foundation
import TestSupport

/// A batch file and its items in a folder of their own.
final class TestBatch {
    struct Item: Codable {
        var id: String
        var image: String
        var prompt: String
        var answers: [String]?
        var maxTokens: Int?

        enum CodingKeys: String, CodingKey {
            case id, image, prompt, answers
            case maxTokens = "max_tokens"
        }
    }

    let folder: TemporaryDirectory
    let items: [Item]
    var path: String { folder.file("batch.yaml").path }
    var results: String { folder.file("results/batch").path }

    /// A batch of the demo model, in f32 so that answers do not depend on which jobs run together.
    ///
    /// - Parameter lines: further lines of the batch file.
    init(
        _ items: [Item], method: String = "{name: ficoco-v, keep: 192}", maxTokens: Int = 8, workers: Int = 1,
        model: String = Demo.model, images: String = Demo.folder, lines: String = ""
    ) throws {
        folder = try TemporaryDirectory()
        self.items = items
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        let text = try items.map { String(decoding: try encoder.encode($0), as: UTF8.self) }.joined(separator: "\n")
        try Data(text.utf8).write(to: folder.file("items.jsonl"))
        let yaml = """
            model: \(model)
            items: items.jsonl
            images: \(images)
            method: \(method)
            template: hf
            precision: f32
            generation: {max_tokens: \(maxTokens)}
            run: {workers: \(workers), threads: 1}
            \(lines)
            """
        try Data(yaml.utf8).write(to: folder.file("batch.yaml"))
    }
}

/// The demo model, its pictures and its questions.
enum Demo {
    static let folder = Repository.root.appendingPathComponent("Jobs/demo").path
    static let model = folder + "/model"

    /// Width of a feature: that of the model's decoder.
    static func width() throws -> Int {
        struct File: Decodable {
            struct Text: Decodable { let hidden_size: Int }
            let text_config: Text
        }
        let data = try Data(contentsOf: URL(fileURLWithPath: model + "/config.json"))
        return try JSONDecoder().decode(File.self, from: data).text_config.hidden_size
    }

    /// Questions of the demo, beginning again with other ids where there are not enough.
    static func items(_ count: Int, every step: Int = 1) throws -> [TestBatch.Item] {
        let text = try String(contentsOfFile: folder + "/questions.jsonl", encoding: .utf8)
        let all = try text.split(separator: "\n").map {
            try JSONDecoder().decode(TestBatch.Item.self, from: Data($0.utf8))
        }
        return (0..<count).map { number in
            var item = all[number * step % all.count]
            item.id += "#\(number)"
            return item
        }
    }
}
