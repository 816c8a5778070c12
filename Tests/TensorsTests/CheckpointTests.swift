import Foundation
import Tensors
import TestSupport
import Testing

/// A model's folder: one file, shards with an index, or neither.
@Suite struct CheckpointTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func write(_ name: String, _ tensors: [String: Float]) throws {
        try SafetensorsWriter.write(
            tensors.sorted { $0.key < $1.key }.map { ($0.key, Tensor([$0.value], shape: [1])) },
            to: folder.file(name).path)
    }

    private func index(_ map: [String: String]) throws {
        let json = try JSONSerialization.data(withJSONObject: ["metadata": ["total_size": 12], "weight_map": map])
        try json.write(to: folder.file("model.safetensors.index.json"))
    }

    private func expectError(
        _ code: TensorError.Code, _ says: String..., at location: SourceLocation = #_sourceLocation
    ) {
        let error = #expect(throws: TensorError.self, sourceLocation: location) {
            try Checkpoint(directory: folder.url.path)
        }
        #expect(error?.code == code, sourceLocation: location)
        for part in says {
            #expect(error?.message.contains(part) == true, "\(error?.message ?? "")", sourceLocation: location)
        }
    }

    @Test func oneFile() throws {
        try write("model.safetensors", ["a": 1, "b": 2])
        let checkpoint = try Checkpoint(directory: folder.url.path)
        #expect(checkpoint.names == ["a", "b"])
        #expect(checkpoint.contains("a") && !checkpoint.contains("c"))
        #expect(checkpoint.shape(of: "b") == [1])
        #expect(try checkpoint.tensor("b").floats == [2])
        checkpoint.release("b")
        checkpoint.release("c")
        #expect(try checkpoint.tensor("b").floats == [2])
        let error = #expect(throws: TensorError.self) { try checkpoint.tensor("c") }
        #expect(error?.code == .missingTensor)
        #expect(error?.message.contains("\"c\"") == true)
    }

    @Test func shards() throws {
        try write("model-00001-of-00002.safetensors", ["a": 1, "b": 2])
        try write("model-00002-of-00002.safetensors", ["c": 3])
        try index([
            "a": "model-00001-of-00002.safetensors", "b": "model-00001-of-00002.safetensors",
            "c": "model-00002-of-00002.safetensors",
        ])
        let checkpoint = try Checkpoint(directory: folder.url.path)
        #expect(checkpoint.names == ["a", "b", "c"])
        #expect(try ["a", "b", "c"].flatMap { try checkpoint.tensor($0).floats } == [1, 2, 3])
    }

    @Test func aShardIsMissing() throws {
        try write("one.safetensors", ["a": 1])
        try index(["a": "one.safetensors", "b": "two.safetensors"])
        expectError(.cannotOpen, "two.safetensors", "index.json")
    }

    @Test func aShardLacksATensor() throws {
        try write("one.safetensors", ["a": 1])
        try index(["a": "one.safetensors", "b": "one.safetensors"])
        expectError(.missingTensor, "\"b\"", "one.safetensors")
    }

    @Test(arguments: ["../one.safetensors", "/etc/passwd", "sub/one.safetensors", "..", ".", "", "a\0b", "one\n"])
    func shardsOutsideTheFolder(_ name: String) throws {
        try index(["a": name])
        expectError(.malformedFile, "not the name of a file in this folder")
    }

    @Test(arguments: ["", "[]", "{}", #"{"weight_map":[]}"#, #"{"weight_map":{"a":1}}"#, #"{"weight_map":{"a":"x""#])
    func damagedIndex(_ json: String) throws {
        try Data(json.utf8).write(to: folder.file("model.safetensors.index.json"))
        expectError(.malformedFile, "model.safetensors.index.json")
    }

    @Test func anAdapterIsNoModel() throws {
        try write("adapter_model.safetensors", ["a": 1])
        try Data("{}".utf8).write(to: folder.file("adapter_config.json"))
        expectError(.unsupportedType, "LoRA", "merge_and_unload")
    }

    @Test func noWeights() throws {
        expectError(.cannotOpen, "model.safetensors")
        let error = #expect(throws: TensorError.self) { try Checkpoint(directory: folder.file("absent").path) }
        #expect(error?.code == .cannotOpen)
    }

    @Test func severalFiles() throws {
        try write("lm.safetensors", ["a": 1])
        try write("tower.safetensors", ["b": 2])
        let paths = ["lm.safetensors", "tower.safetensors"].map { folder.file($0).path }
        #expect(try Checkpoint(files: paths).names == ["a", "b"])
        #expect(try Checkpoint(files: []).names.isEmpty)
        let error = #expect(throws: TensorError.self) { try Checkpoint(files: paths + paths) }
        #expect(error?.code == .malformedFile)
        #expect(error?.message.contains("\"a\" is also in") == true)
    }
}
