package import Tensors

/// Named parameters of one part of the model, handed out with their shapes checked and packed as they are asked for.
///
/// Weight names stand where the layers are built; this is only the way to them.
struct Weights {
    private let source: any WeightSource
    private let prefix: String
    private let backend: any Backend

    /// The parameters of `source` whose names start with `prefix`.
    init(_ source: any WeightSource, prefix: String, backend: any Backend) {
        self.source = source
        self.prefix = prefix
        self.backend = backend
    }

    /// The parameters below `name`.
    func under(_ name: String) -> Weights { Weights(source, prefix: prefix + name + ".", backend: backend) }

    /// A tensor of exactly this shape, still in its file.
    func tensor(_ name: String, _ shape: [Int]) throws -> Tensor { try source.tensor(prefix + name, shape: shape) }

    /// Matrices `(outputs, inputs)` stacked along their outputs and packed; with biases where `bias`.
    func linear(_ names: [String], inputs: Int, outputs: [Int], bias: Bool) throws -> Linear {
        let matrices = try zip(names, outputs).map { try tensor($0 + ".weight", [$1, inputs]) }
        let biases = try bias ? zip(names, outputs).map { try tensor($0 + ".bias", [$1]) } : []
        let packed = try backend.pack(matrices, bias: biases)
        for name in names { source.release(prefix + name + ".weight") }
        return packed
    }

    /// One packed matrix.
    func linear(_ name: String, inputs: Int, outputs: Int, bias: Bool) throws -> Linear {
        try linear([name], inputs: inputs, outputs: [outputs], bias: bias)
    }

    /// Layer normalisation with gain and bias.
    func layerNorm(_ name: String, width: Int, epsilon: Double) throws -> Normalization {
        try Normalization(
            gain: tensor(name + ".weight", [width]), bias: tensor(name + ".bias", [width]), epsilon: epsilon)
    }

    /// RMS normalisation.
    func rmsNorm(_ name: String, width: Int, epsilon: Double) throws -> Normalization {
        try Normalization(gain: tensor(name + ".weight", [width]), bias: nil, epsilon: epsilon)
    }
}

/// Where parameters come from: a checkpoint, or random numbers of the right shapes.
package protocol WeightSource {
    /// The tensor of this name; it must have exactly this shape.
    func tensor(_ name: String, shape: [Int]) throws -> Tensor
    /// The tensor was packed: its pages are not needed any more.
    func release(_ name: String)
}
