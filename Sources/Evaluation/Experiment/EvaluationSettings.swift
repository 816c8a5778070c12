private import Crypto
public import Foundation
public import JobModel
internal import JobVocabulary

/// What all cells of an evaluation have in common: answers made under other settings never mix with these.
public struct EvaluationSettings: Sendable, Hashable, Codable {
    /// The form of this file.
    public let format: String
    /// SHA-256 of the checkpoint's files.
    public let modelSHA256: String
    /// SHA-256 of the items file; if the items come from a folder or the batch has a prompt, of all items as lines of JSON.
    public let itemsSHA256: String
    /// The text around a question.
    public let template: String
    /// How a picture becomes square.
    public let imageMode: String?
    /// Which way up a picture is read; nil if as it is stored.
    public let orientation: String?
    /// Most tokens of an answer.
    public let maxTokens: Int
    /// Texts that end an answer.
    public let stop: [String]
    /// What computes, with its precision; ``workers`` where that is for each worker to say, in its shards.
    public let backend: String
    /// In place of a backend: workers of a coordinator.
    public static let workers = "workers of a coordinator"

    /// The settings that a batch file asks for; answers are greedy whatever it says of temperature.
    public init(_ batch: BatchDescription, modelSHA256: String, backend: String) throws(EvaluationError) {
        guard batch.generation.temperature == 0 else {
            throw EvaluationError(
                .mismatch, "an evaluation compares greedy answers: set generation.temperature to 0")
        }
        format = "winnow-evaluation 1"
        self.modelSHA256 = modelSHA256
        itemsSHA256 = try Self.digest(batch.itemSource)
        template = batch.template.rawValue
        imageMode = batch.imageMode?.rawValue
        orientation = batch.orientation == .asStored ? nil : batch.orientation.rawValue
        maxTokens = batch.generation.maxTokens
        stop = batch.generation.stop
        self.backend = backend
    }

    static func digest(_ source: ItemSource) throws(EvaluationError) -> String {
        var hash = SHA256()
        if source.prompt == nil,
            let file = try? Data(contentsOf: URL(fileURLWithPath: source.path), options: .mappedIfSafe)
        {
            hash.update(data: file)
        } else {
            do {
                var lines = try ItemLines(source)
                while let line = try lines.next() { hash.update(data: Data(((line.text ?? "") + "\n").utf8)) }
            } catch {
                throw EvaluationError(.missingData, "\(error)")
            }
        }
        return hash.finalize().map { String(format: "%02x", $0) }.joined()
    }

    /// Writes the settings into a new folder, or checks that a folder that holds answers has the same.
    ///
    /// The folder belongs to this process as long as the result lives; another one that claims it meanwhile is refused.
    @discardableResult
    public func claim(_ folder: URL) throws -> FolderClaim {
        try FileManager.default.createDirectory(
            at: folder.appendingPathComponent(Self.answers), withIntermediateDirectories: true)
        let file = folder.appendingPathComponent(Self.file)
        let claim = try FolderClaim(file, in: folder)
        if let data = try? Data(contentsOf: file), !data.isEmpty {
            try check(folder)
        } else {
            let encoder = JSONEncoder()
            encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
            // In place: a file that is put in its stead would not be the one that is locked.
            try encoder.encode(self).write(to: file)
        }
        return claim
    }

    /// What made the answers in a folder; nil if there are none.
    public static func backend(of folder: URL) -> String? { (try? read(folder))?.backend }

    /// Checks that the answers in a folder were made under these settings.
    public func check(_ folder: URL) throws(EvaluationError) {
        let known = try Self.read(folder)
        guard known == self else {
            let computed = known.flatMap {
                $0.backend == backend ? nil : " (computed by \($0.backend), not by \(backend))"
            }
            throw EvaluationError(
                .otherSettings,
                "\(folder.path) holds answers of another model, other items or other settings\(computed ?? ""): choose "
                    + "another folder with --out, or move this one away")
        }
    }

    /// The settings of the answers in a folder; nil if they are of another form.
    static func read(_ folder: URL) throws(EvaluationError) -> EvaluationSettings? {
        guard let data = try? Data(contentsOf: folder.appendingPathComponent(file)), !data.isEmpty else {
            throw EvaluationError(.missingData, "\(folder.path) holds no answers: 'winnow eval run' puts them there")
        }
        return try? JSONDecoder().decode(EvaluationSettings.self, from: data)
    }

    static let file = "settings.json"
    /// The folder of the answers, a file for each cell.
    static let answers = "answers"
}
