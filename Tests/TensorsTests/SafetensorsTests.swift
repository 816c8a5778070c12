import Foundation
import Tensors
import TestSupport
import Testing

/// Files that are as they should be.
@Suite struct SafetensorsTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    private func path(_ name: String = "model.safetensors") -> String { folder.file(name).path }

    @Test(arguments: ElementType.allCases)
    func roundTrip(_ type: ElementType) throws {
        var random = SeededGenerator(seed: 1)
        let backend = PortableBackend()
        let tensors = [[3, 5], [7], [2, 1, 3, 3], [], [0, 4], [1]].enumerated().map { number, shape in
            (name: "layer.\(number) \"é/\\\n", tensor: backend.convert(random.tensor(shape), to: type))
        }
        try SafetensorsWriter.write(tensors, to: path())
        let file = try SafetensorsFile(path: path())
        #expect(Set(file.names) == Set(tensors.map(\.name)))
        for (name, tensor) in tensors {
            let read = try file.tensor(name)
            #expect(file.contains(name))
            #expect(file.shape(of: name) == tensor.shape)
            #expect(file.type(of: name) == type)
            #expect(read.shape == tensor.shape)
            #expect(read.type == type)
            #expect(bytes(of: read) == bytes(of: tensor))
            #expect(read.doubles == tensor.doubles)
        }
    }

    @Test func theBytesAreThoseOfTheFormat() throws {
        try SafetensorsWriter.write([("a", Tensor([1, -2] as [Float], shape: [2, 1]))], to: path())
        let header = #"{"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]}}"#
        #expect(header.utf8.count == 56)
        let expected = [56, 0, 0, 0, 0, 0, 0, 0] + Array(header.utf8) + [0, 0, 0x80, 0x3F, 0, 0, 0, 0xC0]
        #expect(try Array(Data(contentsOf: folder.file("model.safetensors"))) == expected)
    }

    @Test func filesWrittenByPythonAreRead() throws {
        let url = Repository.fixture("model/hf/model.safetensors")
        let file = try SafetensorsFile(path: url.path)
        #expect(!file.names.isEmpty)
        for name in file.names {
            let tensor = try file.tensor(name)
            #expect(tensor.floats.allSatisfy { $0.isFinite })
        }
    }

    /// Tensors at odd addresses: a byte of another type before them.
    @Test(arguments: ElementType.allCases)
    func unalignedTensors(_ type: ElementType) throws {
        let numbers = PortableBackend().convert(Tensor((0..<100).map(Float.init), shape: [10, 10]), to: type)
        let written = try hostile(
            #"{"flag":{"dtype":"BOOL","shape":[1],"data_offsets":[0,1]},"x":{"dtype":"\#(name(type))","#
                + #""shape":[10,10],"data_offsets":[1,\#(1 + numbers.byteCount)]},"__metadata__":{"format":"pt"}}"#,
            [1] + bytes(of: numbers), in: folder)
        let file = try SafetensorsFile(path: written)
        let read = try file.tensor("x")
        #expect(read.floats == numbers.floats)
        #expect(read.doubles == numbers.doubles)
        let weights = try CPUBackend(precision: .float32, threads: 1).pack([read], bias: [])
        let ones = Tensor([Float](repeating: 1, count: 10), shape: [1, 10])
        let sums = CPUBackend(precision: .float32, threads: 1)
            .linear(ones, weights, activation: .none, as: .float32)
        #expect(sums.floats == [45, 145, 245, 345, 445, 545, 645, 745, 845, 945])
        #expect(file.contains("flag"))
        #expect(file.type(of: "flag") == nil)
        let error = #expect(throws: TensorError.self) { try file.tensor("flag") }
        #expect(error?.code == .unsupportedType)
        #expect(error?.message.contains("BOOL") == true)
    }

    private func name(_ type: ElementType) -> String {
        switch type {
        case .float64: "F64"
        case .float32: "F32"
        case .bfloat16: "BF16"
        case .float16: "F16"
        }
    }

    private func bytes(of tensor: Tensor) -> [UInt8] { tensor.withUnsafeBytes { Array($0) } }

    @Test func aTensorOutlivesItsFile() throws {
        let numbers = (0..<5000).map(Float.init)
        func read() throws -> Tensor {
            try SafetensorsWriter.write([("x", Tensor(numbers, shape: [5000]))], to: path())
            return try SafetensorsFile(path: path()).tensor("x")
        }
        let tensor = try read()
        try FileManager.default.removeItem(at: folder.file("model.safetensors"))
        #expect(tensor.floats == numbers)
    }

    @Test func releasedTensorsCostNoMemory() throws {
        let numbers = (0..<1_000_000).map(Float.init)
        try SafetensorsWriter.write(
            [("a", Tensor(numbers, shape: [1_000_000])), ("b", Tensor(numbers, shape: [1_000_000]))], to: path())
        let file = try SafetensorsFile(path: path())
        let a = try file.tensor("a"), b = try file.tensor("b")
        #expect(a.floats == numbers)
        #expect(b.floats == numbers)
        let before = try residentKilobytes()
        #expect(before >= 7_800)
        file.release("a")
        file.release("no such tensor")
        let after = try residentKilobytes()
        #expect(after <= before - 3_800)
        #expect(after >= 3_800, "the neighbour stays")
        #expect(a.floats == numbers, "and it can be read again")
    }

    /// How much of the mapped file is in memory, as the kernel counts it.
    private func residentKilobytes() throws -> Int {
        // Through a handle: reading by path stops early on files whose size the kernel gives as 0.
        let map = try FileHandle(forReadingFrom: URL(fileURLWithPath: "/proc/self/smaps")).readToEnd() ?? Data()
        let lines = String(decoding: map, as: UTF8.self).split(separator: "\n")
        var mapped = false, total = 0
        for line in lines {
            if line.contains("-") && line.contains(" r") { mapped = line.hasSuffix(path()) }
            if mapped, line.hasPrefix("Rss:") { total += Int(line.split(separator: " ")[1]) ?? 0 }
        }
        return total
    }

    @Test func missingTensorsAreNamed() throws {
        try SafetensorsWriter.write([("a", Tensor([1] as [Float], shape: [1]))], to: path())
        let error = #expect(throws: TensorError.self) { try SafetensorsFile(path: path()).tensor("lm_head.weight") }
        #expect(error?.code == .missingTensor)
        #expect(error?.message.contains("lm_head.weight") == true)
        #expect(error?.message.contains(path()) == true)
        #expect(try SafetensorsFile(path: path()).shape(of: "b") == nil)
    }

    @Test func aWriterStopsEarlyVisibly() throws {
        do {
            var writer = try SafetensorsWriter(
                path: path(),
                declaring: ["a", "b"].map { SafetensorsWriter.Declaration($0, shape: [4], type: .float32) })
            try writer.append(Tensor([1, 2, 3, 4] as [Float], shape: [4]))
        }
        let error = #expect(throws: TensorError.self) { try SafetensorsFile(path: path()) }
        #expect(error?.code == .malformedFile)
    }

    @Test func writingWhereNothingCanBeWritten() {
        let error = #expect(throws: TensorError.self) {
            try SafetensorsWriter.write([], to: path("no/such/folder/x.safetensors"))
        }
        #expect(error?.code == .cannotOpen)
    }

    @Test func aFullDiskIsReported() {
        let error = #expect(throws: TensorError.self) {
            try SafetensorsWriter.write([("a", Tensor([1] as [Float], shape: [1]))], to: "/dev/full")
        }
        #expect(error?.code == .cannotWrite)
    }
}

/// Writes a file of this header and these numbers, right or wrong; returns its path.
func hostile(_ header: String, _ data: [UInt8], length: UInt64? = nil, in folder: TemporaryDirectory) throws -> String {
    let url = folder.file("hostile.safetensors")
    var bytes = withUnsafeBytes(of: (length ?? UInt64(header.utf8.count)).littleEndian) { Array($0) }
    bytes += Array(header.utf8) + data
    try Data(bytes).write(to: url)
    return url.path
}
