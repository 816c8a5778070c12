import Foundation
import Tensors
import TestSupport
import Testing
import VisionLanguage

/// A tiny checkpoint that a test stores differently: other names, types, files or settings.
///
/// Starts with every file but the weights; `tensors` holds those until `write` stores them.
struct CheckpointCopy {
    let folder: URL
    var tensors: [String: Tensor]
    private let owner: TemporaryDirectory

    var path: String { folder.path }

    init(of golden: Golden) throws {
        owner = try TemporaryDirectory()
        folder = owner.file("checkpoint")
        let source = URL(fileURLWithPath: golden.directory)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        for name in try FileManager.default.contentsOfDirectory(atPath: source.path)
        where !name.hasSuffix(".safetensors") {
            try FileManager.default.copyItem(
                at: source.appendingPathComponent(name), to: folder.appendingPathComponent(name))
        }
        let weights = try Checkpoint(directory: golden.directory)
        tensors = try Dictionary(uniqueKeysWithValues: weights.names.map { ($0, try weights.tensor($0)) })
    }

    /// Gives every tensor the name that `name` makes of its own.
    mutating func rename(_ name: (String) -> String) {
        tensors = Dictionary(uniqueKeysWithValues: tensors.map { (name($0.key), $0.value) })
    }

    /// Takes out the tensors whose names start with `prefix`.
    mutating func take(_ prefix: String) -> [String: Tensor] {
        let taken = tensors.filter { $0.key.hasPrefix(prefix) }
        tensors = tensors.filter { !$0.key.hasPrefix(prefix) }
        return taken
    }

    /// Stores every number as `type`.
    mutating func store(as type: ElementType) {
        let backend = PortableBackend()
        tensors = tensors.mapValues { backend.convert($0, to: type) }
    }

    /// Writes the tensors to `model.safetensors`.
    func write() throws { try Self.write(tensors, to: folder) }

    /// Writes tensors to `model.safetensors` of a folder, which is made if need be.
    static func write(_ tensors: [String: Tensor], to folder: URL) throws {
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try SafetensorsWriter.write(
            tensors.sorted { $0.key < $1.key }.map { ($0.key, $0.value) },
            to: folder.appendingPathComponent("model.safetensors").path)
    }

    /// Writes the tensors to `count` files in turn, so that the tensors of a layer lie in different files, and an index.
    func write(shards count: Int) throws {
        let names = tensors.keys.sorted()
        var map: [String: String] = [:]
        for shard in 0..<count {
            let file = "model-0000\(shard + 1)-of-0000\(count).safetensors"
            let own = names.indices.filter { $0 % count == shard }.map { names[$0] }
            try SafetensorsWriter.write(
                own.map { ($0, try #require(tensors[$0])) }, to: folder.appendingPathComponent(file).path)
            for name in own { map[name] = file }
        }
        try write(["metadata": [:], "weight_map": map], to: "model.safetensors.index.json")
    }

    /// Changes a JSON file.
    func edit(_ file: String, _ change: (inout [String: Any]) throws -> Void) throws {
        let data = try Data(contentsOf: folder.appendingPathComponent(file))
        var object = try #require(JSONSerialization.jsonObject(with: data) as? [String: Any])
        try change(&object)
        try write(object, to: file)
    }

    /// Changes an object of `config.json`.
    func edit(section: String, _ change: (inout [String: Any]) -> Void) throws {
        try edit("config.json") { config in
            var object = try #require(config[section] as? [String: Any])
            change(&object)
            config[section] = object
        }
    }

    /// Writes a JSON file.
    func write(_ object: [String: Any], to file: String) throws {
        let url = folder.appendingPathComponent(file)
        try FileManager.default.createDirectory(at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try JSONSerialization.data(withJSONObject: object).write(to: url)
    }

    /// Removes a file.
    func remove(_ file: String) throws { try FileManager.default.removeItem(at: folder.appendingPathComponent(file)) }

    /// Loads the copy.
    func load() throws -> GreedyModel { try Self.load(path) }

    /// Loads a checkpoint.
    static func load(_ path: String) throws -> GreedyModel {
        try GreedyModel(directory: path, backend: CPUBackend(precision: .float32, threads: 2))
    }
}

extension GreedyModel {
    /// Expects the first two prompts' logits and greedy tokens to be those of transformers.
    func expectAnswers(of golden: Golden, sourceLocation: SourceLocation = #_sourceLocation) throws {
        let prompts = try Array(golden.prompts().prefix(2)), length = 12
        let plan = try plan()
        let answers = try answer(prompts.map { try prompt($0) }, plans: prompts.map { _ in plan }, tokens: length)
        for (index, prompt) in prompts.enumerated() {
            let expected = try golden.numbers("last_logits/\(index)").prefix(model.configuration.text.vocabulary)
            #expect(
                relativeError(answers[index].logits, Array(expected)) < 1e-4, "prompt \(index)",
                sourceLocation: sourceLocation)
            #expect(answers[index].ids == Array(prompt.token_ids.prefix(length)), sourceLocation: sourceLocation)
        }
    }
}
