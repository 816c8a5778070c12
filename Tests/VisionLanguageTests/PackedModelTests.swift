import Foundation
import Tensors
import TestSupport
import Testing
import VisionLanguage

/// Packed models: the same numbers as the checkpoint they were made of, or refused by name.
@Suite struct PackedModelTests {
    private static let file = "winnow-packed.safetensors"

    private func pack(_ format: WeightFormat, in folder: TemporaryDirectory, _ golden: Golden = Golden.all[1]) throws
        -> String
    {
        let path = folder.file("packed-\(format.rawValue)").path
        _ = try ModelPacking.pack(ModelFolder(directory: golden.directory), weights: format, threads: 2, to: path)
        return path
    }

    @Test("a packed model answers as its checkpoint in the same format, bit for bit", arguments: WeightFormat.allCases)
    func sameBits(_ format: WeightFormat) throws {
        let folder = try TemporaryDirectory(), golden = Golden.all[1]
        let packed = try pack(format, in: folder)
        let backend = CPUBackend(precision: .float32, threads: 2)
        let one = try GreedyModel(directory: golden.directory, weights: format, backend: backend)
        let other = try GreedyModel(directory: packed, backend: backend)
        let prompts = try golden.prompts().prefix(3).map { try one.prompt($0) }
        let plans = [try one.plan(), try one.plan("ficoco-v", keep: 6), try one.plan("prumerge", keep: 6)]
        let expected = try one.answer(prompts, plans: plans, tokens: 8)
        let answers = try other.answer(prompts, plans: plans, tokens: 8)
        #expect(answers.map(\.logits) == expected.map(\.logits))
        #expect(answers.map(\.ids) == expected.map(\.ids))
    }

    @Test("it is a model like any other: sizes, formats and the checkpoint's own fingerprint")
    func account() throws {
        let folder = try TemporaryDirectory(), golden = Golden.all[1]
        let packed = try ModelFolder(directory: pack(.int8, in: folder))
        let source = try ModelFolder(directory: golden.directory)
        #expect(packed.isPacked && !source.isPacked)
        #expect(packed.stored == .int8)
        #expect(packed.configuration == source.configuration)
        #expect(try packed.fingerprint().value() == source.fingerprint().value())
        #expect(try packed.fingerprint().value() == ModelFingerprint(directories: [golden.directory]).value())
        // Packing twice gives the same file.
        let again = folder.file("again").path
        _ = try ModelPacking.pack(source, weights: .int8, threads: 1, to: again)
        #expect(
            try Data(contentsOf: URL(fileURLWithPath: again + "/" + Self.file))
                == Data(contentsOf: URL(fileURLWithPath: packed.directory + "/" + Self.file)))
    }

    @Test("an original checkpoint takes the settings of its tower along")
    func original() throws {
        let copy = try CheckpointLayoutTests.originalCopy(of: Golden.all[0], tower: "clip_tower")
        let folder = try TemporaryDirectory(), out = folder.file("packed").path
        let source = try ModelFolder(directory: copy.path)
        _ = try ModelPacking.pack(source, weights: .f16, threads: 2, to: out)
        let packed = try ModelFolder(directory: out)
        #expect(packed.configuration == source.configuration)
        _ = try LLaVA(packed, backend: CPUBackend(precision: .float32, threads: 1))
    }

    @Test("nothing is overwritten, packed twice, or left behind half done")
    func refusals() throws {
        let folder = try TemporaryDirectory(), packed = try pack(.int4, in: folder)
        let source = try ModelFolder(directory: Golden.all[1].directory)
        #expect(throws: ModelError.self) {
            try ModelPacking.pack(source, weights: .int8, threads: 1, to: packed)
        }
        let error = #expect(throws: ModelError.self) {
            try ModelPacking.pack(
                ModelFolder(directory: packed), weights: .int8, threads: 1, to: folder.file("twice").path)
        }
        #expect(error?.code == .otherPack)
        var copy = try CheckpointCopy(of: Golden.all[1])
        let name = try #require(copy.tensors.keys.first { $0.hasSuffix("mlp.down_proj.weight") })
        copy.tensors[name] = Tensor(
            [Float](repeating: .nan, count: copy.tensors[name]?.count ?? 0), shape: copy.tensors[name]?.shape ?? [])
        try copy.write()
        let out = folder.file("bad")
        let bad = #expect(throws: TensorError.self) {
            try ModelPacking.pack(ModelFolder(directory: copy.path), weights: .int8, threads: 1, to: out.path)
        }
        #expect(bad?.code == .notFinite)
        #expect(bad?.message.hasPrefix(name) == true)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder.file("").path).sorted() == ["packed-int4"])
    }

    @Test("another format than the packed one is refused by name")
    func otherFormat() throws {
        let folder = try TemporaryDirectory(), packed = try pack(.int8, in: folder)
        let error = #expect(throws: ModelError.self) {
            try LLaVA(directory: packed, weights: .f16, backend: CPUBackend(precision: .float32, threads: 1))
        }
        #expect(error?.code == .otherPack)
        #expect(error?.message.contains("packed as int8") == true)
        _ = try LLaVA(directory: packed, weights: .int8, backend: CPUBackend(precision: .float32, threads: 1))
        // The plain reference has no kernels to read it with.
        #expect(throws: TensorError.self) { try LLaVA(directory: packed, backend: PortableBackend()) }
    }

    @Test(
        "another version, another layout, another model, or what is cut",
        arguments: [
            ("\\\"version\\\":1", "\\\"version\\\":2", "another version"),
            (PackedWeights.layout, "panels64-9", "panels64-9"),
            ("\\\"layout\\\"", "\\\"lay0ut\\\"", "in an unknown way"), ("\"winnow\"", "\"winn0w\"", "does not say"),
        ])
    func otherPack(_ old: String, _ new: String, _ word: String) throws {
        let folder = try TemporaryDirectory(), packed = try pack(.int8, in: folder)
        let url = URL(fileURLWithPath: packed + "/" + Self.file)
        var data = try Data(contentsOf: url)
        let place = try #require(data.range(of: Data(old.utf8)))
        data.replaceSubrange(place, with: Data(new.utf8))
        try data.write(to: url)
        let error = #expect(throws: ModelError.self) { try ModelFolder(directory: packed) }
        #expect(error?.code == .otherPack)
        #expect(error?.message.contains(word) == true)
    }

    @Test("a file of another model's sizes")
    func otherModel() throws {
        let folder = try TemporaryDirectory(), packed = try pack(.int8, in: folder)
        let config = URL(fileURLWithPath: packed + "/config.json")
        try FileManager.default.removeItem(at: config)
        try FileManager.default.copyItem(at: URL(fileURLWithPath: Golden.all[0].directory + "/config.json"), to: config)
        #expect(throws: ModelError.self) {
            try LLaVA(directory: packed, backend: CPUBackend(precision: .float32, threads: 1))
        }
    }

    @Test("cut or changed anywhere, it is refused or computes with what is there")
    func mutations() throws {
        let folder = try TemporaryDirectory(), packed = try pack(.int4, in: folder)
        let url = URL(fileURLWithPath: packed + "/" + Self.file), whole = try Data(contentsOf: url)
        var random = SeededGenerator(seed: 31), refused = 0
        let header = 8 + Int(whole.prefix(8).withUnsafeBytes { $0.loadUnaligned(as: UInt64.self) })
        let text = try #require(whole.range(of: Data("   ".utf8))).lowerBound
        for round in 0..<300 {
            var data = whole
            switch round % 3 {
            case 0: data.removeLast(Int.random(in: 1...data.count - 9, using: &random))
            case 1: data[Int.random(in: 0..<text, using: &random)] = UInt8.random(in: 0...255, using: &random)
            default:
                for _ in 0..<50 {
                    data[Int.random(in: header..<data.count, using: &random)] = UInt8.random(
                        in: 0...255, using: &random)
                }
            }
            try data.write(to: url)
            do {
                let greedy = try GreedyModel(directory: packed, backend: CPUBackend(precision: .float32, threads: 1))
                let prompt = try greedy.prompt(Golden.all[1].prompts()[0])
                _ = try greedy.model.encode([TileRequest(patches: prompt.1, plan: greedy.plan())])
            } catch is ModelError {
                refused += 1
            } catch is TensorError {
                refused += 1
            }
        }
        #expect(refused >= 150)
    }
}
