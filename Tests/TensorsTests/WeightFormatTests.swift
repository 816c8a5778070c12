import Tensors
import TestSupport
import Testing

/// Products of weights in every format, on every instruction set of this processor.
@Suite struct WeightFormatTests {
    private static let sets = InstructionSet.allCases.filter(\.isPresent)
    /// Around the kernels' tiles (6 and 12 rows), panels (32 outputs), groups (32 inputs) and blocks (128 and 256).
    private static let shapes = [(1, 5, 3), (2, 33, 40), (7, 256, 32), (13, 300, 65), (50, 588, 96)]

    private func numbers(_ shape: [Int], _ random: inout SeededGenerator) -> Tensor {
        Tensor(
            (0..<shape.reduce(1, *)).map { _ in Float.random(in: -1..<1, using: &random) }, shape: shape)
    }

    @Test(
        "integer products are those of the plain reference, bit for bit", arguments: sets,
        WeightFormat.allCases.filter(\.isInteger))
    func exact(_ set: InstructionSet, _ format: WeightFormat) throws {
        var random = SeededGenerator(seed: 11)
        let backend = CPUBackend(precision: .float32, threads: 2, instructions: set)
        let reference = PortableBackend(type: .float32)
        for (rows, inputs, outputs) in Self.shapes {
            let x = numbers([rows, inputs], &random), w = numbers([outputs, inputs], &random)
            let expected = try reference.linear(
                x, reference.pack([w], bias: [], as: format), activation: .none, as: .float32)
            let weights = try backend.pack([w], bias: [], as: format)
            #expect(weights.format == format)
            let result = backend.linear(x, weights, activation: .none, as: .float32)
            #expect(
                bits(of: result, as: UInt32.self) == bits(of: expected, as: UInt32.self), "\(rows)×\(inputs)→\(outputs)"
            )
        }
    }

    @Test(
        "floating-point weights lose what their format loses and no more", arguments: sets,
        [WeightFormat.f32, .f16, .bf16])
    func floating(_ set: InstructionSet, _ format: WeightFormat) throws {
        var random = SeededGenerator(seed: 12)
        let backend = CPUBackend(precision: .float32, threads: 2, instructions: set), oracle = PortableBackend()
        for (rows, inputs, outputs) in Self.shapes {
            let x = numbers([rows, inputs], &random), w = numbers([outputs, inputs], &random)
            let bias = numbers([outputs], &random)
            let expected = try oracle.linear(
                x, oracle.pack([w], bias: [bias], as: format), activation: .quickGELU, as: .float64)
            let result = try backend.linear(
                x, backend.pack([w], bias: [bias], as: format), activation: .quickGELU, as: .float32)
            #expect(deviation(result, from: expected) <= 1e-6, "\(rows)×\(inputs)→\(outputs)")
        }
    }

    @Test("a row has the same result in any company", arguments: sets, WeightFormat.allCases)
    func company(_ set: InstructionSet, _ format: WeightFormat) throws {
        var random = SeededGenerator(seed: 13)
        let x = numbers([201, 588], &random), w = numbers([72, 588], &random), bias = numbers([72], &random)
        let one = CPUBackend(precision: .float32, threads: 1, instructions: set)
        let alone = try one.linear(x, one.pack([w], bias: [bias], as: format), activation: .gelu, as: .float32)
        let expected = bits(of: alone, as: UInt32.self)
        for threads in 1...4 {
            let backend = CPUBackend(precision: .float32, threads: threads, instructions: set)
            let weights = try backend.pack([w], bias: [bias], as: format)
            for count in [1, 2, 3, 5, 8, 16, 64, 104, 193, 201] {
                for first in stride(from: 0, to: 201, by: max(count, 37)) {
                    let rows = first..<min(first + count, 201)
                    let result = backend.linear(x.rows(rows), weights, activation: .gelu, as: .float32)
                    #expect(
                        bits(of: result, as: UInt32.self)
                            == Array(expected[rows.lowerBound * 72..<rows.upperBound * 72]),
                        "rows \(rows) on \(threads) threads")
                }
            }
        }
    }

    @Test("what the checkpoint holds is the default", arguments: [ElementType.float32, .float16, .bfloat16])
    func stored(_ type: ElementType) throws {
        let backend = CPUBackend(precision: .float32, threads: 1)
        let w = backend.convert(Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]), to: type)
        let expected: WeightFormat = type == .float32 ? .f32 : type == .float16 ? .f16 : .bf16
        #expect(try backend.pack([w], bias: []).format == expected)
        #expect(try backend.pack([w], bias: []).byteCount == 32 * 2 * type.size)
        // Stacked matrices of different types need one that holds both.
        let other = Tensor([1, 2] as [Float], shape: [1, 2])
        #expect(try backend.pack([w, other], bias: []).format == .f32)
    }

    @Test(
        "weights that a format cannot hold are refused with their row",
        arguments: [WeightFormat.int8, .w8a8, .int4, .f16], [Float.nan, .infinity, -.infinity, 1e9])
    func notFinite(_ format: WeightFormat, _ value: Float) throws {
        var numbers = [Float](repeating: 0.5, count: 5 * 40)
        numbers[3 * 40 + 7] = value
        let w = Tensor([Float](repeating: 1, count: 2 * 40), shape: [2, 40]), bad = Tensor(numbers, shape: [5, 40])
        let backend = CPUBackend(precision: .float32, threads: 2)
        guard format == .f16 || !value.isFinite else {
            _ = try backend.pack([w, bad], bias: [], as: format)
            return
        }
        let error = #expect(throws: TensorError.self) { try backend.pack([w, bad], bias: [], as: format) }
        #expect(error?.code == .notFinite)
        #expect(error?.message.hasPrefix("row 3 of matrix 2 of 2 ") == true)
        #expect(throws: TensorError.self) { try PortableBackend().pack([bad], bias: [], as: format) }
    }

    @Test("an activation that is not a number stays visible", arguments: sets, WeightFormat.allCases)
    func visible(_ set: InstructionSet, _ format: WeightFormat) throws {
        let backend = CPUBackend(precision: .float32, threads: 2, instructions: set)
        let weights = try backend.pack(
            [Tensor([Float](repeating: 1, count: 64 * 300), shape: [64, 300])], bias: [], as: format)
        for value in [Float.nan, .infinity] {
            var numbers = [Float](repeating: 1, count: 3 * 300)
            numbers[300 + 299] = value
            let result = backend.linear(Tensor(numbers, shape: [3, 300]), weights, activation: .none, as: .float32)
                .floats
            #expect(result[..<64].allSatisfy { abs($0 - 300) < 0.5 })
            #expect(result[64..<128].allSatisfy { !$0.isFinite })
            #expect(result[128...].allSatisfy { abs($0 - 300) < 0.5 })
        }
    }

    @Test("tiny and huge activations keep their size", arguments: sets, WeightFormat.allCases)
    func scale(_ set: InstructionSet, _ format: WeightFormat) throws {
        let backend = CPUBackend(precision: .float32, threads: 1, instructions: set)
        let weights = try backend.pack(
            [Tensor([Float](repeating: 0.5, count: 32), shape: [1, 32])], bias: [], as: format)
        for size in [Float(1e-30), 1, 1e30] {
            let x = Tensor([Float](repeating: size, count: 32), shape: [1, 32])
            let sum = backend.linear(x, weights, activation: .none, as: .float32).floats[0]
            #expect(abs(sum / (16 * size) - 1) < 0.01)
        }
        let zeros = Tensor([Float](repeating: 0, count: 32), shape: [1, 32])
        #expect(backend.linear(zeros, weights, activation: .none, as: .float32).floats == [0])
    }

    @Test("a small prompt has pieces for many threads")
    func pieces() throws {
        let backend = CPUBackend(precision: .float32, threads: 1)
        let weights = try backend.pack([Tensor(shape: [4096, 64], type: .float32)], bias: [], as: .f32)
        #expect(CPUBackend.pieces(weights, rows: 104, threads: 16) >= 64)
        #expect(CPUBackend.pieces(weights, rows: 1, threads: 16) >= 64)
        #expect(CPUBackend.pieces(weights, rows: 640, threads: 2) >= 8)
    }

    @Test("the limit of the multiply instructions is a number", arguments: sets)
    func limit(_ set: InstructionSet) {
        let backend = CPUBackend(precision: .float32, threads: 1, instructions: set)
        for format in [WeightFormat.f32, .int8, .w8a8] {
            let limit = backend.multiplyLimit(format, seconds: 0.01)
            #expect(limit.isFinite && limit > 0)
        }
    }
}
