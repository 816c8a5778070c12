import Tensors
import Testing

/// The oracle against numbers worked out by hand or published.
@Suite struct PortableBackendTests {
    private let backend = PortableBackend()

    private func expect(_ result: Tensor?, _ expected: [Double], _ location: SourceLocation = #_sourceLocation) {
        #expect(result?.count == expected.count, sourceLocation: location)
        for (a, b) in zip(result?.doubles ?? [], expected) {
            #expect(abs(a - b) <= 1e-12 * max(1, abs(b)), sourceLocation: location)
        }
    }

    @Test func products() throws {
        let x = Tensor([1, 2, 3, 4] as [Double], shape: [2, 2])
        let w = Tensor([1, 0, 0, 1, 10, 100] as [Double], shape: [3, 2]),
            b = Tensor([0.5, 0, -1] as [Double], shape: [3])
        let weights = try backend.pack([w], bias: [b])
        expect(backend.linear(x, weights, activation: .none, as: .float64), [1.5, 2, 209, 3.5, 4, 429])
        let residual = Tensor([1, 1, 1, 2, 2, 2] as [Double], shape: [2, 3])
        backend.linear(x, weights, addingTo: residual)
        expect(residual, [2.5, 3, 210, 5.5, 6, 431])
    }

    @Test func activations() throws {
        let x = Tensor([-1, 0, 1, 2] as [Double], shape: [4, 1])
        let one = try backend.pack([Tensor([1] as [Double], shape: [1, 1])], bias: [])
        // z·Φ(z) with Φ(1) = 0.841344746068543, Φ(2) = 0.977249868051821
        expect(
            backend.linear(x, one, activation: .gelu, as: .float64),
            [-0.158655253931457, 0, 0.841344746068543, 1.954499736103642])
        // σ(1.702) = 0.845795765932821
        expect(
            backend.linear(x, one, activation: .quickGELU, as: .float64),
            [-0.154204234067179, 0, 0.845795765932821, 1.935658623144208])
        let gateUp = Tensor([0, 1, 3, 5] as [Double], shape: [1, 4])
        expect(backend.siluMultiply(gateUp), [0, 5 * 0.731058578630005])
    }

    @Test func norms() {
        let x = Tensor([1, 2, 3, 6] as [Double], shape: [1, 4])
        let gain = Tensor([1, 1, 2, 1] as [Double], shape: [4]), bias = Tensor([0, 0, 0, 1] as [Double], shape: [4])
        // mean 3, variance 3.5; mean square 12.5
        let deviation = 3.5.squareRoot(), root = 12.5.squareRoot()
        expect(
            backend.normalize(x, Normalization(gain: gain, bias: bias, epsilon: 0), as: .float64),
            [-2 / deviation, -1 / deviation, 0, 3 / deviation + 1])
        expect(
            backend.normalize(x, Normalization(gain: gain, bias: nil, epsilon: 0), as: .float64),
            [1 / root, 2 / root, 6 / root, 6 / root])
        expect(
            backend.normalize(x, Normalization(gain: gain, bias: nil, epsilon: 12.5), as: .float64),
            [0.2, 0.4, 1.2, 1.2])
    }

    @Test func rotation() {
        // One head of two numbers at position 1 turns by one radian; values stay.
        let qkv = Tensor([1, 0, 0, 1, 7, 8] as [Double], shape: [1, 6])
        let keys = Tensor(shape: [1, 2], type: .float64), values = Tensor(shape: [1, 2], type: .float64)
        let queries = backend.rotarySplit(
            qkv, Heads(count: 1, size: 2), RotaryAngles(positions: [1], size: 2, base: 10000), keys: keys,
            values: values)
        let cosine = Double(Float(0.5403023058681398)), sine = Double(Float(0.8414709848078965))
        expect(queries, [cosine, sine])
        expect(keys, [-sine, cosine])
        expect(values, [7, 8])
    }

    @Test func attention() {
        // Two heads of one number; scores of head 0: ln 3 and 0 → ¾ and ¼; of head 1: equal → ½ and ½.
        let third = 1.0986122886681098
        let q = Tensor([1, 0, 1, 0] as [Double], shape: [2, 2]),
            k = Tensor([third, 1, 0, 1] as [Double], shape: [2, 2])
        let v = Tensor([4, 10, 8, 20] as [Double], shape: [2, 2]), output = Tensor(shape: [2, 2], type: .float64)
        func attend(causal: Bool, _ map: AttentionMapKind) -> Tensor? {
            backend.attend(
                Attention(
                    queries: Columns(q), keys: Columns(k), values: Columns(v), heads: Heads(count: 2, size: 1),
                    causal: causal), output: output, map: map)
        }
        expect(attend(causal: false, .probabilities), [0.625, 0.375, 0.625, 0.375])
        expect(output, [5, 15, 5, 15])
        expect(attend(causal: true, .probabilities), [1, 0, 0.625, 0.375])
        expect(output, [4, 10, 5, 15])
        expect(attend(causal: true, .logits), [third / 2, 0, third / 2, 0])
    }
}
