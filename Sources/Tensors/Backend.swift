import Glibc

/// Where the arithmetic happens. The model calls only these operations and knows no processor.
///
/// Everything is a list of rows: a batch is the rows of its sequences one after another, without padding. Matrix products
/// read `activationType`; the residual stream and normalisation stay in `residualType`.
public protocol Backend: AnyObject {
    /// "cpu-f32-avx2", "portable-f64", …
    var name: String { get }
    /// The type that enters matrix products.
    var activationType: ElementType { get }
    /// The type of the residual stream between layers.
    var residualType: ElementType { get }

    /// Prepares weights once: matrices `(outputs, inputs)` stacked along their outputs, with an optional bias for all.
    /// Without a format, weights stay in the one that they are stored in.
    func pack(_ matrices: [Tensor], bias: [Tensor], as format: WeightFormat?) throws(TensorError) -> Linear
    /// Takes weights that lie in the kernels' layout, of a packed model.
    func adopt(_ packed: PackedWeights, bias: [Float]) throws(TensorError) -> Linear

    /// `x·Wᵀ + b`, then `activation`, as `type`: `(rows, inputs)` to `(rows, outputs)`.
    func linear(_ x: Tensor, _ weights: Linear, activation: Activation, as type: ElementType) -> Tensor
    /// `residual += x·Wᵀ + b`.
    func linear(_ x: Tensor, _ weights: Linear, addingTo residual: Tensor)

    /// Layer or RMS normalisation of residual rows, as `type`.
    func normalize(_ x: Tensor, _ norm: Normalization, as type: ElementType) -> Tensor
    /// `silu(gate)·up` for rows that hold gate and up side by side.
    func siluMultiply(_ gateUp: Tensor) -> Tensor
    /// Splits rows of stacked queries, keys and values; rotates queries and keys (RoPE, half-split form).
    /// `keys` and `values`, of one type, are written in place, row by row.
    func rotarySplit(_ qkv: Tensor, _ heads: Heads, _ angles: RotaryAngles, keys: Tensor, values: Tensor) -> Tensor

    /// Attention of one sequence; the result goes into `output`, `(queries, heads·size)`.
    /// Keys and values may be stored in another type than queries.
    /// Returns the head-mean map `(queries, keys)` f32 or f64 that `map` asks for.
    func attend(_ problem: Attention, output: Tensor, map: AttentionMapKind?) -> Tensor?
    /// Attention of one query for each of many sequences against its own cache, `(sequences, heads·size)`.
    func attendSingle(_ queries: Tensor, _ heads: Heads, caches: [KeysAndValues]) -> Tensor

    /// The head-mean probabilities with which query `row` looks at each key, (1, keys), f32 or f64: one row of the map.
    func attentionRow(_ problem: Attention, query row: Int) -> Tensor
    /// The keys of each row averaged over heads, (keys, size), f32 or f64.
    func headMeanKeys(_ problem: Attention) -> Tensor

    /// The given rows of a table, as `type`.
    func gather(_ table: Tensor, rows: [Int], as type: ElementType) -> Tensor
    /// Converts between element types.
    func convert(_ x: Tensor, to type: ElementType) -> Tensor
}

extension Backend {
    /// Prepares weights in the format that they are stored in.
    public func pack(_ matrices: [Tensor], bias: [Tensor]) throws(TensorError) -> Linear {
        try pack(matrices, bias: bias, as: nil)
    }

    /// One row of the map at the cost of one query.
    public func attentionRow(_ problem: Attention, query row: Int) -> Tensor {
        let queries = problem.queries
        let visible = problem.causal ? problem.keys.tensor.rows - queries.tensor.rows + row + 1 : nil
        precondition(visible ?? problem.keys.tensor.rows == problem.keys.tensor.rows, "a causal row of fewer keys")
        let one = Attention(
            queries: Columns(queries.tensor.rows(row..<row + 1), first: queries.first, count: queries.count),
            keys: problem.keys, values: problem.values, heads: problem.heads, causal: false, keyBias: problem.keyBias)
        let output = Tensor(shape: [1, problem.heads.width], type: activationType)
        guard let map = attend(one, output: output, map: .probabilities) else {
            preconditionFailure("attention returns the map it is asked for")
        }
        return map
    }

    /// The mean, computed where keys are in the host's memory.
    public func headMeanKeys(_ problem: Attention) -> Tensor {
        let heads = problem.heads.keyValueCount, size = problem.heads.size
        let keys = problem.keys, width = keys.tensor.width, rows = keys.tensor.rows
        func mean<Stored: BitwiseCopyable, Number: BinaryFloatingPoint>(
            of _: Stored.Type, _ number: (Stored) -> Number
        ) -> [Number] {
            var result = [Number](repeating: 0, count: rows * size)
            result.withUnsafeMutableBufferPointer { sums in
                keys.tensor.withUnsafeBytes { bytes in
                    let numbers = bytes.bindMemory(to: Stored.self)
                    for row in 0..<rows {
                        for head in 0..<heads {
                            let start = row * width + keys.first + head * size
                            for column in 0..<size { sums[row * size + column] += number(numbers[start + column]) }
                        }
                    }
                    for cell in 0..<sums.count { sums[cell] /= Number(heads) }
                }
            }
            return result
        }
        let shape = [rows, size]
        return switch keys.tensor.type {
        case .float64: Tensor(mean(of: Double.self) { $0 }, shape: shape)
        case .float32: Tensor(mean(of: Float.self) { $0 }, shape: shape)
        case .bfloat16: Tensor(mean(of: UInt16.self) { BFloat16.value($0) }, shape: shape)
        case .float16: Tensor(mean(of: Float16.self) { Float($0) }, shape: shape)
        }
    }
}

/// The activation function that a product passes before it is stored.
public enum Activation: Sendable {
    case none
    /// `½z(1+erf(z/√2))`
    case gelu
    /// `z·σ(1.702z)`
    case quickGELU
}

/// Which head-mean attention map a caller wants.
public enum AttentionMapKind: Sendable { case probabilities, logits }

/// Heads of an attention layer.
public struct Heads: Sendable, Hashable {
    /// How many there are for queries.
    public let count: Int
    /// Fewer than `count` where groups of heads share keys and values.
    public let keyValueCount: Int
    /// Numbers of one head.
    public let size: Int

    /// `count` heads of `size` numbers; `keyValueCount` defaults to as many.
    public init(count: Int, keyValueCount: Int? = nil, size: Int) {
        self.count = count
        self.keyValueCount = keyValueCount ?? count
        self.size = size
    }

    /// Numbers in a row of queries.
    public var width: Int { count * size }
    /// Numbers in a row of keys, and of values.
    public var keyValueWidth: Int { keyValueCount * size }
}

/// Some columns of each row of a tensor, without copying them out.
public struct Columns: Sendable {
    /// All rows, with all their columns.
    public let tensor: Tensor
    /// The first of the columns.
    public let first: Int
    /// How many columns.
    public let count: Int

    /// `count` columns from `first`.
    public init(_ tensor: Tensor, first: Int = 0, count: Int? = nil) {
        self.tensor = tensor
        self.first = first
        self.count = count ?? tensor.width - first
    }
}

/// One sequence's attention: its queries, keys and values.
public struct Attention: Sendable {
    /// `(queries, heads·size)`
    public let queries: Columns
    /// `(keys, kvHeads·size)`
    public let keys: Columns
    /// `(keys, kvHeads·size)`
    public let values: Columns
    /// How rows divide into heads.
    public let heads: Heads
    /// Query i of q sees only the first `keys − q + i + 1` keys.
    public let causal: Bool
    /// What is added to every query's logit of each key, (keys), natural logarithms; nothing where it is nil.
    public let keyBias: [Double]?

    /// An attention problem over rows that stay where they are.
    public init(
        queries: Columns, keys: Columns, values: Columns, heads: Heads, causal: Bool, keyBias: [Double]? = nil
    ) {
        self.keyBias = keyBias
        self.queries = queries
        self.keys = keys
        self.values = values
        self.heads = heads
        self.causal = causal
    }
}

/// The cached keys and values of one sequence in one layer, `(length, kvHeads·size)` each.
public struct KeysAndValues: Sendable {
    /// `(length, kvHeads·size)`
    public let keys: Tensor
    /// `(length, kvHeads·size)`
    public let values: Tensor

    /// Keys and values of the same length.
    public init(keys: Tensor, values: Tensor) {
        self.keys = keys
        self.values = values
    }
}

/// Gain, bias and epsilon of a normalisation; without bias it is RMS normalisation.
public struct Normalization: Sendable {
    /// One per column.
    public let gain: [Float]
    /// One per column; nil makes it RMS normalisation.
    public let bias: [Float]?
    /// What is added to the variance.
    public let epsilon: Double

    /// Layer normalisation where `bias` is given, else RMS normalisation.
    public init(gain: Tensor, bias: Tensor?, epsilon: Double) {
        self.gain = gain.floats
        self.bias = bias?.floats
        self.epsilon = epsilon
    }
}

/// Weights prepared by a backend for its own use; every backend makes its own subclass.
open class Linear: @unchecked Sendable {
    /// Numbers in a row that goes in.
    public let inputs: Int
    /// Numbers in a row that comes out.
    public let outputs: Int
    /// How the weights are stored.
    public let format: WeightFormat
    /// Bytes that they take.
    public let byteCount: Int

    /// What is the same for the weights of every backend.
    public init(inputs: Int, outputs: Int, format: WeightFormat, byteCount: Int) {
        self.inputs = inputs
        self.outputs = outputs
        self.format = format
        self.byteCount = byteCount
    }

    /// Floating-point operations for `rows` rows; one multiply-add counts 2.
    public func flops(rows: Int) -> Int { 2 * rows * inputs * outputs }
}

/// Cosines and sines of rotary positions, `(rows, size/2)` each.
///
/// Angles are float32 products as in the reference; cosine and sine are taken in double and rounded (Su et al. 2021).
public struct RotaryAngles: Sendable {
    /// `(positions, size/2)`
    public let cosine: [Float]
    /// `(positions, size/2)`
    public let sine: [Float]

    /// Angles of `positions` for heads of `size` numbers.
    public init(positions: [Int], size: Int, base: Double) {
        let half = size / 2
        let frequencies = (0..<half).map { Float(1) / powf(Float(base), Float(2 * $0) / Float(size)) }
        var cosine = [Float](), sine = [Float]()
        cosine.reserveCapacity(positions.count * half)
        sine.reserveCapacity(positions.count * half)
        for position in positions {
            for frequency in frequencies {
                let angle = Double(Float(position) * frequency)
                cosine.append(Float(cos(angle)))
                sine.append(Float(sin(angle)))
            }
        }
        self.cosine = cosine
        self.sine = sine
    }
}
