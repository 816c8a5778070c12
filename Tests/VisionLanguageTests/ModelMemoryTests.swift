import Tensors
import Testing
import VisionLanguage

/// What a model takes, before it is loaded.
@Suite struct ModelMemoryTests {
    private func memory(_ name: String, _ format: WeightFormat) throws -> ModelMemory {
        ModelMemory(
            try #require(LLaVAConfiguration.named(name)), weights: format, stored: .f16, activations: .float32)
    }

    @Test(
        "weights of the published sizes, in GB",
        arguments: [
            ("llava-1.5-7b", WeightFormat.f32, 27.6), ("llava-1.5-7b", .f16, 13.8), ("llava-1.5-7b", .bf16, 13.8),
            ("llava-1.5-7b", .int8, 7.0), ("llava-1.5-7b", .int4, 4.7), ("llava-1.5-13b", .f16, 26.2),
            ("llava-1.5-13b", .int8, 13.3), ("llava-1.5-13b", .int4, 8.8),
        ])
    func weights(_ model: String, _ format: WeightFormat, _ expected: Double) throws {
        let bytes = Double(try memory(model, format).weights) / 1e9
        #expect(abs(bytes - expected) <= 0.03 * expected, "\(bytes) GB")
    }

    @Test("a row of the cache, and the least")
    func rows() throws {
        #expect(try memory("llava-1.5-7b", .f16).cacheBytesPerRow == 2 * 32 * 4096 * 4)
        #expect(try memory("llava-1.5-7b", .int4).least < 6_000_000_000)
        let need = try memory("llava-1.5-7b", .int8)
        #expect(need.cacheBytesPerRow == 2 * 32 * 4096 * 2)
        #expect(need.rowsPerJob == 576 + 256)
        #expect(need.least > need.weights + need.rowsPerJob * need.cacheBytesPerRow)
        #expect(need.least < need.weights + 2_000_000_000)
    }

    @Test("shares never exceed what there is, and grow with it", arguments: WeightFormat.allCases)
    func shares(_ format: WeightFormat) throws {
        let need = try memory("llava-1.5-7b", format)
        #expect(need.shares(of: need.least - 1) == nil)
        var last: ModelMemory.Shares?
        for extra in [0, 1 << 28, 1 << 30, 1 << 32, 1 << 34, 1 << 38] {
            let available = need.least + extra
            let shares = try #require(need.shares(of: available))
            let taken =
                need.weights + ModelMemory.base + shares.cache + 2 * shares.shared
                + need.flightBytes(rows: shares.prefillRows)
            #expect(taken <= available)
            #expect(shares.cache >= need.rowsPerJob * need.cacheBytesPerRow)
            #expect(shares.prefillRows >= need.rowsPerJob && shares.prefillRows <= ModelMemory.usualPrefillRows)
            if let last { #expect(shares.cache >= last.cache && shares.shared >= last.shared) }
            last = shares
        }
        #expect(
            last?.prefillRows == ModelMemory.usualPrefillRows && last?.shared == need.rowsPerJob * need.cacheBytesPerRow
        )
    }

    @Test("too much is refused with both numbers and what would fit")
    func refused() throws {
        let folder = try ModelFolder(directory: Golden.all[1].directory)
        let need = folder.memory(weights: nil, activations: .float32).least
        try folder.checkFits(weights: nil, activations: .float32, available: need, of: "this machine")
        let error = #expect(throws: ModelError.self) {
            try folder.checkFits(weights: .f32, activations: .float32, available: 1_000_000, of: "this machine")
        }
        #expect(error?.code == .notEnoughMemory)
        #expect(error?.message.contains("1.0 MB left") == true)
        #expect(error?.message.contains("no format fits") == true)
        let between = folder.memory(weights: .int4, activations: .float32).least
        #expect(between < folder.memory(weights: .f32, activations: .float32).least)
        let other = #expect(throws: ModelError.self) {
            try folder.checkFits(weights: .f32, activations: .float32, available: between, of: "this machine")
        }
        #expect(other?.message.contains("weights: int4") == true)
    }

    @Test("what is said of the weights is what a model takes", arguments: [Golden.all[1]])
    func counted(_ golden: Golden) throws {
        for format in WeightFormat.allCases {
            let folder = try ModelFolder(directory: golden.directory)
            let recorder = PackedBytes()
            _ = try LLaVA(folder, weights: format, backend: recorder)
            #expect(folder.memory(weights: format, activations: .float32).weights == recorder.bytes)
        }
    }
}

/// A backend that adds up the bytes of what it packs.
private final class PackedBytes: Backend {
    private let inner = CPUBackend(precision: .float32, threads: 1)
    private(set) var bytes = 0

    var name: String { inner.name }
    var activationType: ElementType { inner.activationType }
    var residualType: ElementType { inner.residualType }

    func pack(_ matrices: [Tensor], bias: [Tensor], as format: WeightFormat?) throws(TensorError) -> Linear {
        let linear = try inner.pack(matrices, bias: bias, as: format)
        bytes += linear.byteCount
        return linear
    }

    func adopt(_ packed: PackedWeights, bias: [Float]) throws(TensorError) -> Linear {
        try inner.adopt(packed, bias: bias)
    }
    func linear(_ x: Tensor, _ weights: Linear, activation: Activation, as type: ElementType) -> Tensor {
        inner.linear(x, weights, activation: activation, as: type)
    }
    func linear(_ x: Tensor, _ weights: Linear, addingTo residual: Tensor) {
        inner.linear(x, weights, addingTo: residual)
    }
    func normalize(_ x: Tensor, _ norm: Normalization, as type: ElementType) -> Tensor {
        inner.normalize(x, norm, as: type)
    }
    func siluMultiply(_ gateUp: Tensor) -> Tensor { inner.siluMultiply(gateUp) }
    func rotarySplit(_ qkv: Tensor, _ heads: Heads, _ angles: RotaryAngles, keys: Tensor, values: Tensor) -> Tensor {
        inner.rotarySplit(qkv, heads, angles, keys: keys, values: values)
    }
    func attend(_ problem: Attention, output: Tensor, map: AttentionMapKind?) -> Tensor? {
        inner.attend(problem, output: output, map: map)
    }
    func attendSingle(_ queries: Tensor, _ heads: Heads, caches: [KeysAndValues]) -> Tensor {
        inner.attendSingle(queries, heads, caches: caches)
    }
    func gather(_ table: Tensor, rows: [Int], as type: ElementType) -> Tensor {
        inner.gather(table, rows: rows, as: type)
    }
    func convert(_ x: Tensor, to type: ElementType) -> Tensor { inner.convert(x, to: type) }
}
