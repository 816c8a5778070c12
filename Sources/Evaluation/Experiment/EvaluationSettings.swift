private import Crypto
public import Foundation
public import JobModel

/// What all cells of an evaluation have in common: answers made under other settings never mix with these.
public struct EvaluationSettings: Sendable, Hashable, Codable {
    /// The form of this file.
    public let format: String
    /// SHA-256 of the checkpoint's files.
    public let modelSHA256: String
    /// SHA-256 of the items file.
    public let itemsSHA256: String
    /// The text around a question.
    public let template: String
    /// How a picture becomes square.
    public let imageMode: String
    /// Most tokens of an answer.
    public let maxTokens: Int
    /// Texts that end an answer.
    public let stop: [String]
    /// What computes, with its precision.
    public let backend: String

    /// The settings that a batch file asks for; answers are greedy whatever it says of temperature.
    public init(_ batch: BatchDescription, modelSHA256: String, backend: String) throws(EvaluationError) {
        guard batch.generation.temperature == 0 else {
            throw EvaluationError(
                .mismatch, "an evaluation compares greedy answers: set generation.temperature to 0")
        }
        guard let items = try? Data(contentsOf: URL(fileURLWithPath: batch.items), options: .mappedIfSafe) else {
            throw EvaluationError(.missingData, "\(batch.items) cannot be read")
        }
        format = "winnow-evaluation 1"
        self.modelSHA256 = modelSHA256
        itemsSHA256 = SHA256.hash(data: items).map { String(format: "%02x", $0) }.joined()
        template = batch.template.rawValue
        imageMode = batch.imageMode.rawValue
        maxTokens = batch.generation.maxTokens
        stop = batch.generation.stop
        self.backend = backend
    }

    /// Writes the settings into a new folder, or checks that a folder that holds answers has the same.
    public func claim(_ folder: URL) throws {
        let file = folder.appendingPathComponent("settings.json")
        if let data = try? Data(contentsOf: file) {
            guard let known = try? JSONDecoder().decode(EvaluationSettings.self, from: data), known == self else {
                throw EvaluationError(
                    .otherSettings,
                    "\(folder.path) holds answers of another model, other items or other settings: choose another folder "
                        + "with --out, or move this one away")
            }
            return
        }
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent("answers"), withIntermediateDirectories: true)
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        try encoder.encode(self).write(to: file, options: .atomic)
    }
}
