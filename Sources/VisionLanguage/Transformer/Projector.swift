import Tensors

/// The two-layer perceptron between tower and decoder: `W₂·gelu(W₁·x + b₁) + b₂` (Liu et al. 2024).
final class Projector {
    private let first: Linear
    private let second: Linear
    private let backend: any Backend

    /// Builds the projector from the tower's width to the decoder's.
    init(_ c: LLaVAConfiguration, names: (first: String, second: String), weights: Weights, backend: any Backend) throws
    {
        self.backend = backend
        first = try weights.linear(names.first, inputs: c.vision.hidden, outputs: c.text.hidden, bias: c.projectorBias)
        second = try weights.linear(names.second, inputs: c.text.hidden, outputs: c.text.hidden, bias: c.projectorBias)
    }

    /// `(tokens, vision width)` to `(tokens, decoder width)`, in the residual type.
    func project(_ features: Tensor) -> Tensor {
        let input = backend.convert(features, to: backend.activationType)
        let wide = backend.linear(input, first, activation: .gelu, as: backend.activationType)
        return backend.linear(wide, second, activation: .none, as: backend.residualType)
    }

    /// Operations for `rows` tokens.
    func flops(rows: Int) -> Int { first.flops(rows: rows) + second.flops(rows: rows) }
}
