import Glibc

/// The model's arithmetic written as its formulas: slow, in double precision, the oracle that fast backends are
/// checked against.
///
/// Every verb computes in Double and stores what the model keeps as `activationType`.
public final class PortableBackend: Backend {
    /// float64 or float32, as the backend was made for.
    public let activationType: ElementType
    /// The same as `activationType`.
    public let residualType: ElementType

    /// A backend that stores activations and the residual stream as `type`: float64, or float32 to save memory.
    public init(type: ElementType = .float64) {
        precondition(type == .float64 || type == .float32, "the portable backend stores float64 or float32")
        activationType = type
        residualType = type
    }

    /// "portable-f64" or "portable-f32".
    public var name: String { "portable-\(activationType == .float64 ? "f64" : "f32")" }

    /// Keeps weights as doubles rounded to the format, or as integers; throws `wrongShape` for weights that do not stack.
    public func pack(_ matrices: [Tensor], bias: [Tensor], as format: WeightFormat?) throws(TensorError) -> Linear {
        let (inputs, outputs) = try Linear.extents(of: matrices, bias: bias)
        let bias = bias.flatMap(\.doubles)
        let stored: (Double) -> Double
        switch format {
        case nil: stored = { $0 }
        case .f32: stored = { Double(Float($0)) }
        case .bf16: stored = { Double(BFloat16.value(BFloat16.bits(Float($0)))) }
        case .f16:
            guard matrices.allSatisfy({ $0.type == .float16 || $0.floats.allSatisfy { Float16($0).isFinite } }) else {
                throw TensorError(.notFinite, "weights hold numbers that f16 cannot; choose another format for them")
            }
            stored = { Double(Float16($0)) }
        case .int8, .w8a8, .int4:
            let numbers = matrices.flatMap(\.floats)
            guard let format, numbers.allSatisfy(\.isFinite) else {
                throw TensorError(
                    .notFinite, "weights hold NaN or infinity, which integers cannot; repair the checkpoint")
            }
            return PortableLinear(
                .integers(QuantizedRows(weights: numbers, inputs: inputs, format: format)), bias: bias,
                inputs: inputs, outputs: outputs, format: format)
        }
        return PortableLinear(
            .numbers(matrices.flatMap { $0.doubles.map(stored) }), bias: bias, inputs: inputs, outputs: outputs,
            format: format ?? WeightFormat(holding: matrices))
    }

    /// Refuses: the layout of packed models is that of the kernels of `CPUBackend`.
    public func adopt(_ packed: PackedWeights, bias: [Float]) throws(TensorError) -> Linear {
        throw TensorError(
            .engineFailure, "packed weights are not read by \(name); use the checkpoint that they were made of")
    }

    /// `f(x·Wᵀ + b)`
    public func linear(_ x: Tensor, _ weights: Linear, activation: Activation, as type: ElementType) -> Tensor {
        let function: (Double) -> Double =
            switch activation {
            case .none: { $0 }
            case .gelu: { z in z / 2 * (1 + erf(z / 2.squareRoot())) }
            case .quickGELU: { z in z * sigmoid(1.702 * z) }
            }
        return stored(product(x, weights).map(function), [x.rows, weights.outputs], as: type)
    }

    /// `residual + x·Wᵀ + b`
    public func linear(_ x: Tensor, _ weights: Linear, addingTo residual: Tensor) {
        precondition(residual.shape == [x.rows, weights.outputs], "the residual rows do not match the product")
        residual.store(zip(residual.doubles, product(x, weights)).map(+))
    }

    /// `y[r, o] = b[o] + Σᵢ x[r, i] · W[o, i]`
    private func product(_ x: Tensor, _ weights: Linear) -> [Double] {
        guard let linear = weights as? PortableLinear else { preconditionFailure("weights of another backend") }
        precondition(x.width == linear.inputs, "a row of \(x.width) does not fit weights of \(linear.inputs) inputs")
        var result: [Double] = []
        result.reserveCapacity(x.rows * linear.outputs)
        func append(_ sum: Double, _ output: Int) {
            result.append(linear.bias.isEmpty ? sum : sum + linear.bias[output])
        }
        switch linear.weights {
        case .numbers(let weights):
            let input = x.doubles
            for row in 0..<x.rows {
                for output in 0..<linear.outputs {
                    append(
                        dot(input, row * linear.inputs, weights, output * linear.inputs, count: linear.inputs), output)
                }
            }
        case .integers(let weights):
            let input = QuantizedRows(activations: x.floats, inputs: linear.inputs, beside: linear.format)
            for row in 0..<x.rows {
                for output in 0..<linear.outputs { append(Double(input.product(row, weights, output)), output) }
            }
        }
        return result
    }

    /// `(x − mean) / √(variance + ε) · gain + bias`, with biased variance.
    public func normalize(_ x: Tensor, _ norm: Normalization, as type: ElementType) -> Tensor {
        precondition(x.width == norm.gain.count, "rows of \(x.width) with \(norm.gain.count) gains")
        let width = Double(x.width)
        let result = rows(of: x).flatMap { row in
            // Layer normalisation (Ba et al. 2016), or without bias and mean RMS normalisation (Zhang & Sennrich 2019).
            let mean = norm.bias == nil ? 0 : row.reduce(0, +) / width
            let variance = row.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / width
            let scale = 1 / (variance + norm.epsilon).squareRoot()
            return row.enumerated().map { column, value in
                (value - mean) * scale * Double(norm.gain[column]) + Double(norm.bias?[column] ?? 0)
            }
        }
        return stored(result, x.shape, as: type)
    }

    /// `g·σ(g)·u`
    public func siluMultiply(_ gateUp: Tensor) -> Tensor {
        let width = gateUp.width / 2
        let result = rows(of: gateUp).flatMap { row in
            zip(row.prefix(width), row.dropFirst(width)).map { gate, up in gate * sigmoid(gate) * up }
        }
        return stored(result, [gateUp.rows, width], as: activationType)
    }

    /// Rotation in the plane of each pair of numbers.
    public func rotarySplit(
        _ qkv: Tensor, _ heads: Heads, _ angles: RotaryAngles, keys: Tensor, values: Tensor
    ) -> Tensor {
        checkRotarySplit(qkv, heads, angles, keys: keys, values: values)
        let half = heads.size / 2
        var rotated: [Double] = [], keyRows: [Double] = [], valueRows: [Double] = []
        for (position, row) in rows(of: qkv).enumerated() {
            // RoPE (Su et al. 2021) in half-split form: numbers i and i + size/2 of a head are one plane, turned by θᵢ.
            func rotate(_ head: ArraySlice<Double>) -> [Double] {
                let a = Array(head.prefix(half)), b = Array(head.dropFirst(half))
                let cosine = (0..<half).map { Double(angles.cosine[position * half + $0]) }
                let sine = (0..<half).map { Double(angles.sine[position * half + $0]) }
                return (0..<half).map { a[$0] * cosine[$0] - b[$0] * sine[$0] }
                    + (0..<half).map { b[$0] * cosine[$0] + a[$0] * sine[$0] }
            }
            for head in 0..<heads.count { rotated += rotate(row[head * heads.size..<(head + 1) * heads.size]) }
            for head in heads.count..<heads.count + heads.keyValueCount {
                keyRows += rotate(row[head * heads.size..<(head + 1) * heads.size])
            }
            valueRows += row.suffix(heads.keyValueWidth)
        }
        keys.store(keyRows)
        values.store(valueRows)
        return stored(rotated, [qkv.rows, heads.width], as: activationType)
    }

    /// `softmax(q·kᵀ/√size + bias)·v` for every head (Vaswani et al. 2017); the map has `activationType`.
    public func attend(_ problem: Attention, output: Tensor, map: AttentionMapKind?) -> Tensor? {
        problem.check(output: output)
        let heads = problem.heads, size = heads.size
        let queryCount = problem.queries.tensor.rows, keyCount = problem.keys.tensor.rows
        let queries = problem.queries.doubles, keys = problem.keys.doubles, values = problem.values.doubles
        var mixed = [Double](repeating: 0, count: queryCount * heads.width)
        var mean = [Double](repeating: 0, count: map == nil ? 0 : queryCount * keyCount)
        for head in 0..<heads.count {
            let keyHead = head / (heads.count / heads.keyValueCount)
            for query in 0..<queryCount {
                // s[j] = q · k[j] / √size
                var logits = (0..<keyCount).map { key in
                    dot(
                        queries, query * heads.width + head * size, keys, key * heads.keyValueWidth + keyHead * size,
                        count: size) / Double(size).squareRoot()
                }
                if let bias = problem.keyBias { logits = zip(logits, bias).map(+) }
                let visible = problem.causal ? keyCount - queryCount + query + 1 : keyCount
                let probabilities = softmax(logits.prefix(visible))
                if let map {
                    // Invisible keys have probability 0, but a logit like any other.
                    let shares = map == .logits ? logits : probabilities
                    for (key, share) in shares.enumerated() {
                        mean[query * keyCount + key] += share / Double(heads.count)
                    }
                }
                for (key, probability) in probabilities.enumerated() {
                    add(
                        probability, values, key * heads.keyValueWidth + keyHead * size,
                        to: &mixed, query * heads.width + head * size, count: size)
                }
            }
        }
        output.store(mixed)
        return map.map { _ in stored(mean, [queryCount, keyCount], as: activationType) }
    }

    /// `attend`, one sequence after the other.
    public func attendSingle(_ queries: Tensor, _ heads: Heads, caches: [KeysAndValues]) -> Tensor {
        precondition(queries.rows == caches.count, "one query for each cache")
        let result = Tensor(shape: [queries.rows, heads.width], type: activationType)
        for (row, cache) in caches.enumerated() {
            let problem = Attention(
                queries: Columns(queries.rows(row..<row + 1)), keys: Columns(cache.keys), values: Columns(cache.values),
                heads: heads, causal: false)
            _ = attend(problem, output: result.rows(row..<row + 1), map: nil)
        }
        return result
    }

    /// Copies rows one by one.
    public func gather(_ table: Tensor, rows: [Int], as type: ElementType) -> Tensor {
        stored(rows.flatMap { table.rows($0..<$0 + 1).doubles }, [rows.count, table.width], as: type)
    }

    /// The tensor itself where it has that type already.
    public func convert(_ x: Tensor, to type: ElementType) -> Tensor {
        x.type == type ? x : stored(x.doubles, x.shape, as: type)
    }
}

/// Weights as they are in the formulas, `(outputs, inputs)`.
private final class PortableLinear: Linear, @unchecked Sendable {
    enum Weights {
        case numbers([Double])
        case integers(QuantizedRows)
    }

    let weights: Weights
    let bias: [Double]

    init(_ weights: Weights, bias: [Double], inputs: Int, outputs: Int, format: WeightFormat) {
        self.weights = weights
        self.bias = bias
        super.init(
            inputs: inputs, outputs: outputs, format: format, byteCount: inputs * outputs * MemoryLayout<Double>.size)
    }
}

/// `1 / (1 + e⁻ᶻ)`
private func sigmoid(_ z: Double) -> Double { 1 / (1 + exp(-z)) }

/// `e^(sⱼ − max s) / Σₖ e^(sₖ − max s)`; subtracting the maximum changes nothing but keeps the powers finite.
private func softmax(_ logits: ArraySlice<Double>) -> [Double] {
    let most = logits.max() ?? 0
    let powers = logits.map { exp($0 - most) }
    let sum = powers.reduce(0, +)
    return powers.map { $0 / sum }
}

private func stored(_ values: [Double], _ shape: [Int], as type: ElementType) -> Tensor {
    let result = Tensor(shape: shape, type: type)
    result.store(values)
    return result
}

private func rows(of x: Tensor) -> [[Double]] {
    let numbers = x.doubles
    return (0..<x.rows).map { Array(numbers[$0 * x.width..<($0 + 1) * x.width]) }
}

/// `Σᵢ a[aStart + i] · b[bStart + i]`, as eight sums side by side: the only loop here that is written for speed.
private func dot(_ a: [Double], _ aStart: Int, _ b: [Double], _ bStart: Int, count: Int) -> Double {
    precondition(aStart + count <= a.count && bStart + count <= b.count, "a product beyond its rows")
    return a.withUnsafeBytes { a in
        b.withUnsafeBytes { b in
            var sums = SIMD8<Double>()
            let whole = count / 8 * 8
            for i in stride(from: 0, to: whole, by: 8) {
                sums +=
                    a.loadUnaligned(fromByteOffset: (aStart + i) * 8, as: SIMD8<Double>.self)
                    * b.loadUnaligned(fromByteOffset: (bStart + i) * 8, as: SIMD8<Double>.self)
            }
            var sum = sums.sum()
            for i in whole..<count {
                sum +=
                    a.loadUnaligned(fromByteOffset: (aStart + i) * 8, as: Double.self)
                    * b.loadUnaligned(fromByteOffset: (bStart + i) * 8, as: Double.self)
            }
            return sum
        }
    }
}

/// `result[at + i] += factor · x[start + i]`
private func add(_ factor: Double, _ x: [Double], _ start: Int, to result: inout [Double], _ at: Int, count: Int) {
    for i in 0..<count { result[at + i] += factor * x[start + i] }
}
