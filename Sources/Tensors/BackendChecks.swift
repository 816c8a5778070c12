/// What must hold before numbers are touched, the same for every backend.
///
/// Weights come from files, so misfitting ones throw; rows come from the model's code, so misfitting ones trap.
extension Linear {
    /// Inputs and outputs of stacked matrices; throws `wrongShape` if they or their biases do not fit together.
    static func extents(
        of matrices: [Tensor], bias: [Tensor]
    ) throws(TensorError) -> (inputs: Int, outputs: Int) {
        guard let inputs = matrices.first?.width, matrices.allSatisfy({ $0.shape.count > 1 && $0.width == inputs })
        else {
            let shapes = matrices.map { "\($0.shape)" }.joined(separator: ", ")
            throw TensorError(
                .wrongShape, "weights of shapes \(shapes) do not stack; does the configuration match the checkpoint?")
        }
        let outputs = matrices.reduce(0) { $0 + $1.rows }
        let biases = bias.reduce(0) { $0 + $1.count }
        guard bias.isEmpty || biases == outputs else {
            throw TensorError(
                .wrongShape,
                "\(biases) biases for \(outputs) outputs; does the configuration match the checkpoint?")
        }
        return (inputs, outputs)
    }
}

extension Backend {
    /// Traps if rows of queries, keys and values do not fit the heads, the angles or their targets.
    func checkRotarySplit(_ qkv: Tensor, _ heads: Heads, _ angles: RotaryAngles, keys: Tensor, values: Tensor) {
        precondition(qkv.width == heads.width + 2 * heads.keyValueWidth, "rows do not hold queries, keys and values")
        precondition(angles.cosine.count == qkv.rows * (heads.size / 2), "one position for each row")
        for target in [keys, values] {
            precondition(target.rows == qkv.rows && target.width == heads.keyValueWidth, "no room for keys and values")
        }
        precondition(keys.type == values.type, "keys and values are kept alike")
    }
}

extension Attention {
    /// Traps if queries, keys, values and output do not fit the heads or one another.
    func check(output: Tensor) {
        precondition(heads.count % heads.keyValueCount == 0, "every group of heads is equally large")
        precondition(queries.count == heads.width, "queries are \(queries.count) wide, not \(heads.width)")
        precondition(
            keys.count == heads.keyValueWidth && values.count == heads.keyValueWidth, "keys or values too wide")
        for part in [queries, keys, values] {
            precondition(part.first >= 0 && part.first + part.count <= part.tensor.width, "columns beyond a row")
        }
        precondition(keys.tensor.rows == values.tensor.rows, "one value for each key")
        precondition(keys.tensor.type == values.tensor.type, "keys and values are kept alike")
        precondition(!causal || keys.tensor.rows >= queries.tensor.rows, "a causal query sees at least one key")
        precondition(keyBias == nil || keyBias?.count == keys.tensor.rows, "one number for each key")
        precondition(output.shape == [queries.tensor.rows, heads.width], "the output is \(output.shape)")
    }
}
