package import Tensors

/// Named parameters of one part of the model, handed out with their shapes checked and packed as they are asked for.
///
/// Weight names stand where the layers are built; this is only the way to them.
struct Weights {
    private let source: any WeightSource
    private let prefix: String
    private let format: WeightFormat?
    private let backend: any Backend

    /// The parameters of `source` whose names start with `prefix`; matrices become `format`, or stay as they are stored.
    init(_ source: any WeightSource, prefix: String, format: WeightFormat? = nil, backend: any Backend) {
        self.source = source
        self.prefix = prefix
        self.format = format
        self.backend = backend
    }

    /// The parameters below `name`.
    func under(_ name: String) -> Weights {
        Weights(source, prefix: prefix + name + ".", format: format, backend: backend)
    }

    /// The same parameters with matrices stored as `format`.
    func stored(as format: WeightFormat?) -> Weights {
        Weights(source, prefix: prefix, format: format, backend: backend)
    }

    /// A tensor of exactly this shape, still in its file.
    func tensor(_ name: String, _ shape: [Int]) throws -> Tensor { try source.tensor(prefix + name, shape: shape) }

    /// Matrices `(outputs, inputs)` stacked along their outputs and packed; with biases where `bias`.
    func linear(_ names: [String], inputs: Int, outputs: [Int], bias: Bool) throws -> Linear {
        let biases = try bias ? zip(names, outputs).map { try tensor($0 + ".bias", [$1]) } : []
        let whole = names.map { prefix + $0 + ".weight" }
        if let packed = try source.packed(whole, inputs: inputs, outputs: outputs.reduce(0, +), as: format) {
            return try backend.adopt(packed, bias: biases.flatMap(\.floats))
        }
        let matrices = try zip(names, outputs).map { try tensor($0 + ".weight", [$1, inputs]) }
        let linear = try pack(matrices, biases, names: whole)
        for name in whole { source.release(name) }
        return try source.took(linear, for: whole)
    }

    /// Packs matrices; an error about their numbers names the tensors.
    private func pack(_ matrices: [Tensor], _ biases: [Tensor], names: [String]) throws(TensorError) -> Linear {
        do {
            return try backend.pack(matrices, bias: biases, as: format)
        } catch {
            guard error.code == .notFinite else { throw error }
            throw TensorError(.notFinite, "\(names.joined(separator: ", ")): \(error.message)")
        }
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
    /// The stacked matrices of these names, if they lie in the kernels' layout already; throws if they do so in another
    /// format than the one asked for.
    func packed(_ names: [String], inputs: Int, outputs: Int, as format: WeightFormat?) throws -> PackedWeights?
    /// Called when the matrices of these names are packed; returns the weights that the model then uses.
    func took(_ linear: Linear, for names: [String]) throws -> Linear
}

extension WeightSource {
    /// Default: the source holds no packed weights.
    package func packed(
        _ names: [String], inputs: Int, outputs: Int, as format: WeightFormat?
    ) throws -> PackedWeights? { nil }

    /// Default: the model goes on with the packed weights.
    package func took(_ linear: Linear, for names: [String]) throws -> Linear { linear }
}
