import Foundation
import Tensors
import TestSupport
import Testing

/// Weights as PyTorch saves them, made by Python's own pickle and zipfile (`Tests/Fixtures/torch`).
@Suite struct TorchFileTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func opened(_ fixture: String) throws -> Checkpoint {
        try Checkpoint(files: [Repository.fixture("torch/\(fixture)").path])
    }

    private func expectError(
        _ code: TensorError.Code, _ says: String, at location: SourceLocation = #_sourceLocation,
        _ work: () throws -> Checkpoint
    ) {
        let error = #expect(throws: TensorError.self, sourceLocation: location) { try work() }
        #expect(error?.code == code, sourceLocation: location)
        #expect(error?.message.contains(says) == true, "\(error?.message ?? "")", sourceLocation: location)
    }

    @Test func everyTensor() throws {
        let expected = try JSONDecoder().decode(
            [String: [Float]].self, from: Data(contentsOf: Repository.fixture("torch/expected.json")))
        let checkpoint = try opened("state.bin")
        #expect(checkpoint.names == Set(expected.keys).union(["positions"]))
        for (name, numbers) in expected {
            let tensor = try checkpoint.tensor(name)
            let backend = PortableBackend()
            #expect(backend.convert(tensor, to: .float32).floats == numbers, "\(name)")
        }
        #expect(checkpoint.shape(of: "half") == [2, 3] && checkpoint.type(of: "half") == .float16)
        #expect(checkpoint.shape(of: "view") == [3, 4] && checkpoint.type(of: "view") == .float32)
        #expect(checkpoint.shape(of: "scalar") == [] && checkpoint.shape(of: "empty") == [0, 3])
        #expect(checkpoint.type(of: "brain") == .bfloat16 && checkpoint.type(of: "double") == .float64)
        // Integers are listed, and refused where somebody wants their numbers.
        #expect(checkpoint.shape(of: "positions") == [1, 3] && checkpoint.type(of: "positions") == nil)
        let error = #expect(throws: TensorError.self) { try checkpoint.tensor("positions") }
        #expect(error?.code == .unsupportedType && error?.message.contains("LongStorage") == true)
        checkpoint.release("single")
        #expect(try checkpoint.tensor("tied").floats == checkpoint.tensor("single").floats)
    }

    @Test func whatIsNoTensorIsPassedOver() throws {
        let checkpoint = try opened("plain.bin")
        #expect(checkpoint.names == ["a"])
        #expect(try checkpoint.tensor("a").floats == [1, 2])
    }

    @Test func refusedByName() throws {
        expectError(.malformedFile, "system") { try opened("evil.bin") }
        expectError(.unsupportedType, "before 1.6") { try opened("legacy.bin") }
        expectError(.unsupportedType, "contiguous") { try opened("transposed.bin") }
        expectError(.unsupportedType, "big-endian") { try opened("big-endian.bin") }
        expectError(.malformedFile, "beyond its storage") { try opened("beyond.bin") }
        expectError(.malformedFile, "negated") { try opened("negated.bin") }
    }

    @Test func oneFileOrShardsOfAFolder() throws {
        let manager = FileManager.default
        let state = Repository.fixture("torch/state.bin"), plain = Repository.fixture("torch/plain.bin")
        try manager.copyItem(at: state, to: folder.file("pytorch_model.bin"))
        #expect(try Checkpoint(directory: folder.url.path).contains("half"))

        try manager.moveItem(
            at: folder.file("pytorch_model.bin"), to: folder.file("pytorch_model-00001-of-00002.bin"))
        try manager.copyItem(at: plain, to: folder.file("pytorch_model-00002-of-00002.bin"))
        let index = [
            "weight_map": ["half": "pytorch_model-00001-of-00002.bin", "a": "pytorch_model-00002-of-00002.bin"]
        ]
        try JSONEncoder().encode(index).write(to: folder.file("pytorch_model.bin.index.json"))
        let sharded = try Checkpoint(directory: folder.url.path)
        #expect(sharded.names == ["half", "a"])
        #expect(try sharded.tensor("a").floats == [1, 2])

        // As for transformers, safetensors come first.
        try SafetensorsWriter.write(
            [("b", Tensor([3] as [Float], shape: [1]))], to: folder.file("model.safetensors").path)
        #expect(try Checkpoint(directory: folder.url.path).names == ["b"])
    }

    /// Tuples and dictionaries in one another, 100,000 deep: giving up such values one by one would end the process.
    @Test func nothingIsNestedWithoutBound() throws {
        var program: [UInt8] = [0x80, 2]
        for _ in 0..<100_000 { program += Array("}X".utf8) + [1, 0, 0, 0] + Array("k".utf8) }
        program += Array("N".utf8)
        for _ in 0..<100_000 { program += [0x85] + Array("s".utf8) }
        program += Array(".".utf8)
        let path = folder.file("pytorch_model.bin").path
        _ = try SystemPython.run(
            "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1], 'w'); z.writestr('m/data.pkl', open(sys.argv[2], 'rb').read()); "
                + "z.close()", path, written(program))
        expectError(.malformedFile, "holds no tensors") { try Checkpoint(files: [path]) }
    }

    /// Many values in few bytes, and a name of megabytes: little memory, and a message that can be read.
    @Test(arguments: [
        Array(repeating: UInt8(ascii: "}"), count: 3_000_000), Array(repeating: UInt8(ascii: "("), count: 3_000_000),
        Array("c".utf8) + Array(repeating: UInt8(ascii: "x"), count: 3_000_000) + Array("\ny\n.".utf8),
    ])
    func nothingIsLargeWithoutBound(_ rest: [UInt8]) throws {
        let path = folder.file("pytorch_model.bin").path
        _ = try SystemPython.run(
            "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1], 'w'); z.writestr('m/data.pkl', open(sys.argv[2], 'rb').read()); "
                + "z.close()", path, written([0x80, 2] + rest))
        let error = #expect(throws: TensorError.self) { try Checkpoint(files: [path]) }
        #expect(error?.code == .malformedFile)
        #expect((error?.message.utf8.count ?? .max) < 1_000)
    }

    private func written(_ bytes: [UInt8]) throws -> String {
        let path = folder.file("data.pkl")
        try Data(bytes).write(to: path)
        return path.path
    }

    /// Cut, changed and swapped bytes everywhere: an error of a known kind, or tensors that can be read to their ends.
    @Test func damagedFiles() throws {
        var random = SeededGenerator(seed: 5), refused = 0
        for fixture in ["state.bin", "plain.bin"] {
            let whole = try [UInt8](Data(contentsOf: Repository.fixture("torch/\(fixture)")))
            for number in 0..<1000 {
                var bytes = whole
                switch number % 4 {
                case 0:
                    bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.removeLast(Int.random(in: 1..<bytes.count, using: &random))
                case 2:
                    let at = Int.random(in: 0..<bytes.count - 8, using: &random)
                    let value: UInt8 = Bool.random(using: &random) ? 0xFF : 0
                    bytes.replaceSubrange(at..<at + 8, with: repeatElement(value, count: 8))
                default:
                    let one = Int.random(in: 0..<bytes.count - 16, using: &random)
                    let other = Int.random(in: 0..<bytes.count - 16, using: &random)
                    bytes.replaceSubrange(one..<one + 16, with: Array(bytes[other..<other + 16]))
                }
                let path = folder.file("pytorch_model.bin")
                try Data(bytes).write(to: path)
                do throws(TensorError) {
                    let checkpoint = try Checkpoint(files: [path.path])
                    for name in checkpoint.names where checkpoint.type(of: name) != nil {
                        let tensor = try checkpoint.tensor(name)
                        tensor.withUnsafeBytes { _ = $0.reduce(0) { $0 &+ Int($1) } }
                    }
                } catch {
                    refused += 1
                    #expect(error.message.contains(path.path))
                }
            }
        }
        #expect(refused > 500)
    }
}
