import Foundation
import JobModel
import VisionLanguage

/// A batch file with a manifest of any length, a few pictures and a model of the smallest sizes, which is never loaded.
struct NullBatch {
    /// As in visual question answering: several questions in a row about one picture.
    static let questionsPerPicture = 5
    private static let pictures = 100

    /// The batch file.
    let path: String

    /// Writes everything into `folder`; batches in one folder share the model and the pictures.
    init(_ name: String, items: Int, in folder: URL) throws {
        let model = folder.appendingPathComponent("model").path
        if !FileManager.default.fileExists(atPath: model) {
            _ = try RandomCheckpoint.write(Self.smallest(), to: model, shardBytes: 1 << 30)
        }
        for number in 0..<Self.pictures {
            let picture = folder.appendingPathComponent(Self.picture(number)).path
            // Only that it is there is looked at.
            guard FileManager.default.createFile(atPath: picture, contents: Data()) else {
                throw CommandFailure("\(picture) cannot be written")
            }
        }
        let manifest = folder.appendingPathComponent("\(name).jsonl")
        try Self.write(items, to: manifest)
        path = folder.appendingPathComponent("\(name).yaml").path
        let text = "model: model\nitems: \(name).jsonl\nprecision: f32\nfeatures: none\n"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
    }

    private static func picture(_ number: Int) -> String { "picture-\(number % pictures).png" }

    private static func write(_ items: Int, to url: URL) throws {
        guard FileManager.default.createFile(atPath: url.path, contents: nil) else {
            throw CommandFailure("\(url.path) cannot be written")
        }
        let file = try FileHandle(forWritingTo: url)
        var piece = ""
        for number in 1...items {
            let picture = picture((number - 1) / questionsPerPicture)
            piece += #"{"id":"item-\#(number)","image":"\#(picture)","prompt":"What is in the picture? (\#(number))"}"#
            piece += "\n"
            if piece.utf8.count > 1 << 20 || number == items {
                try file.write(contentsOf: Data(piece.utf8))
                piece = ""
            }
        }
        try file.close()
    }

    private static func smallest() throws -> LLaVAConfiguration {
        guard var c = LLaVAConfiguration.named("llava-1.5-7b") else {
            throw CommandFailure("the sizes of llava-1.5-7b are not known")
        }
        (c.vision.hidden, c.vision.intermediate, c.vision.layers, c.vision.heads) = (8, 8, 2, 1)
        (c.text.hidden, c.text.intermediate, c.text.layers) = (8, 8, 1)
        (c.text.heads, c.text.keyValueHeads, c.text.headSize) = (1, 1, 8)
        return c
    }
}
