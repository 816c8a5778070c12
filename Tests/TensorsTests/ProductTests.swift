import Tensors
import TestSupport
import Testing

/// Linear layers: every size class of the kernels, every activation, every way weights are stored.
@Suite struct ProductTests {
    @Test(arguments: Subject.present, [nil] + WeightFormat.allCases)
    func linear(_ subject: Subject, _ format: WeightFormat?) throws {
        var random = SeededGenerator(seed: 1)
        for (rows, inputs, outputs) in [
            (1, 1, 1), (1, 17, 33), (2, 15, 1), (3, 33, 17), (5, 160, 15), (33, 64, 480), (130, 16, 16), (0, 8, 8),
        ] {
            let x = random.tensor([rows, inputs]), w = random.tensor([outputs, inputs]), b = random.tensor([outputs])
            for activation in [Activation.none, .gelu, .quickGELU] {
                for wide in [false, true] {
                    try subject.agrees("\(rows)×\(inputs)→\(outputs) \(activation)", weights: format) { backend in
                        let weights = try backend.pack([w], bias: wide ? [b] : [], as: format)
                        #expect(weights.inputs == inputs && weights.outputs == outputs)
                        let type = wide ? backend.residualType : backend.activationType
                        let input = backend.convert(x, to: backend.activationType)
                        let result = backend.linear(input, weights, activation: activation, as: type)
                        #expect(result.type == type)
                        return [result]
                    }
                }
            }
        }
    }

    @Test(arguments: Subject.present, [nil] + WeightFormat.allCases)
    func addingToResidualRows(_ subject: Subject, _ format: WeightFormat?) throws {
        var random = SeededGenerator(seed: 2)
        for (rows, inputs, outputs) in [(1, 1, 1), (4, 33, 17), (33, 15, 160), (0, 4, 4)] {
            let x = random.tensor([rows, inputs]), w = random.tensor([outputs, inputs]), b = random.tensor([outputs])
            let residual = random.tensor([rows + 2, outputs])
            for bias in [[], [b]] {
                try subject.agrees("\(rows)×\(inputs)→\(outputs)", weights: format) { backend in
                    // Rows in the middle of a larger tensor: their neighbours must stay as they are.
                    let stream = Tensor(shape: residual.shape, type: backend.residualType)
                    stream.withUnsafeMutableBytes { to in
                        backend.convert(residual, to: backend.residualType).withUnsafeBytes { to.copyMemory(from: $0) }
                    }
                    let input = backend.convert(x, to: backend.activationType)
                    backend.linear(
                        input, try backend.pack([w], bias: bias, as: format), addingTo: stream.rows(1..<rows + 1))
                    #expect(stream.rows(0..<1).floats == residual.rows(0..<1).floats)
                    #expect(stream.rows(rows + 1..<rows + 2).floats == residual.rows(rows + 1..<rows + 2).floats)
                    return [stream]
                }
            }
        }
    }

    @Test(arguments: Subject.present, [ElementType.float64, .float32, .bfloat16, .float16])
    func stackedWeightsOfEveryType(_ subject: Subject, _ type: ElementType) throws {
        var random = SeededGenerator(seed: 3)
        let oracle = PortableBackend()
        // Eighths: exact in every type.
        let parts = [5, 17, 1].map { outputs in
            oracle.convert(
                Tensor(
                    (0..<outputs * 33).map { _ in Float(Int.random(in: -16...16, using: &random)) / 8 },
                    shape: [outputs, 33]),
                to: type)
        }
        let biases = [5, 17, 1].map { oracle.convert(random.tensor([$0]), to: type) }
        let x = random.tensor([7, 33])
        try subject.agrees { backend in
            let input = backend.convert(x, to: backend.activationType)
            let stacked = try backend.pack(parts, bias: biases)
            #expect(stacked.outputs == 23)
            #expect(stacked.flops(rows: 7) == 2 * 7 * 33 * 23)
            return [backend.linear(input, stacked, activation: .none, as: backend.residualType)]
        }
        // Stacking is the same as putting the results side by side.
        let backend = subject.backend
        let input = backend.convert(x, to: backend.activationType)
        let together = backend.linear(
            input, try backend.pack(parts, bias: biases), activation: .none, as: backend.residualType)
        var first = 0
        for (part, bias) in zip(parts, biases) {
            let alone = backend.linear(
                input, try backend.pack([part], bias: [bias]), activation: .none, as: backend.residualType)
            let numbers = together.doubles
            let columns = (0..<7).flatMap { numbers[$0 * 23 + first..<$0 * 23 + first + part.rows] }
            #expect(deviation(alone, from: Tensor(columns, shape: alone.shape)) <= 1e-6)
            first += part.rows
        }
    }

    @Test(arguments: Subject.present)
    func misfittingWeightsThrow(_ subject: Subject) {
        let w = Tensor([Float](repeating: 1, count: 12), shape: [3, 4])
        let other = Tensor([Float](repeating: 1, count: 15), shape: [3, 5])
        let bias = Tensor([Float](repeating: 1, count: 2), shape: [2])
        for (matrices, bias) in [([w, other], []), ([], []), ([w], [bias]), ([bias], [])] {
            let error = #expect(throws: TensorError.self) { try subject.backend.pack(matrices, bias: bias) }
            #expect(error?.code == .wrongShape)
        }
    }
}
