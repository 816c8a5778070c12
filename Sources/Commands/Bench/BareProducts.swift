import Tensors
import VisionLanguage

/// The matrix products of a forward pass and nothing else: the ceiling that the model is measured against.
///
/// The same shapes on the same backend with weights packed once, each layer with weights of its own, so that caches help
/// no more than they do in the model. Attention is left out: it is not one of the shapes that weights have.
struct BareProducts {
    private struct Product {
        let weights: Linear
        let input: Tensor
    }

    private let backend: OneDNNBackend
    private var products: [Product] = []
    private(set) var flops = 0

    init(_ backend: OneDNNBackend) { self.backend = backend }

    /// A linear layer on `rows` rows.
    mutating func add(rows: Int, inputs: Int, outputs: Int) throws {
        let weights = try backend.pack([Self.random([outputs, inputs])], bias: [])
        products.append(
            Product(
                weights: weights, input: backend.convert(Self.random([rows, inputs]), to: backend.activationType)))
        flops += weights.flops(rows: rows)
    }

    /// Runs all products once.
    func run() {
        for product in products {
            _ = backend.linear(product.input, product.weights, activation: .none, as: backend.activationType)
        }
    }

    private static func random(_ shape: [Int]) -> Tensor {
        var state: UInt64 = 0x9E37_79B9
        let values = (0..<shape.reduce(1, *)).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            return Float(Int64(bitPattern: state) >> 40) / Float(1 << 23) * 0.05
        }
        return Tensor(values, shape: shape)
    }
}
