private import CKernels
internal import COneDNN
import Synchronization

/// The fast backend: oneDNN for matrix products, `CKernels` for the loops between them.
///
/// Use an instance from one thread; oneDNN's OpenMP team is the only pool of threads.
public final class OneDNNBackend: Backend {
    /// bfloat16 or float32, as the backend was made for.
    public let activationType: ElementType
    /// Always float32: the stream adds up the work of many layers.
    public let residualType = ElementType.float32
    /// Threads of the OpenMP team.
    public let threads: Int
    private let products = ProductCache()

    /// Whether the processor multiplies bf16 natively.
    public static var hasBFloat16: Bool { cod_has_bf16() != 0 }

    /// A backend that computes products in bf16 (accumulating in f32) or f32 on `threads` threads.
    public init(precision: ElementType, threads: Int) {
        precondition(precision == .bfloat16 || precision == .float32, "oneDNN computes in bf16 or f32")
        activationType = precision
        self.threads = threads
    }

    /// "onednn-bf16" or "onednn-f32".
    public var name: String { "onednn-\(activationType == .bfloat16 ? "bf16" : "f32")" }

    /// Packs weights into the layout that oneDNN prefers, in `activationType`.
    ///
    /// Throws `wrongShape` for weights that do not stack, `engineFailure` where oneDNN refuses.
    public func pack(_ matrices: [Tensor], bias: [Tensor]) throws(TensorError) -> Linear {
        cod_use_threads(Int32(threads))
        let (inputs, outputs) = try Linear.extents(of: matrices, bias: bias)
        let stacked = Tensor(shape: [outputs, inputs], type: activationType)
        var row = 0
        for matrix in matrices {
            convert(matrix, into: stacked.rows(row..<row + matrix.rows))
            row += matrix.rows
        }
        guard
            let packed = stacked.withUnsafeBytes({
                cod_weights_pack(Int64(outputs), Int64(inputs), activationType.cod, $0.baseAddress)
            })
        else { throw engineFailure("pack weights (\(outputs), \(inputs))") }
        return PackedLinear(packed, inputs: inputs, outputs: outputs, bias: bias.flatMap(\.floats))
    }

    /// One oneDNN product with bias and activation attached.
    public func linear(_ x: Tensor, _ weights: Linear, activation: Activation, as type: ElementType) -> Tensor {
        let result = Tensor(shape: [x.rows, weights.outputs], type: type)
        let post: cod_post =
            switch activation {
            case .none: COD_NOTHING
            case .gelu: COD_GELU
            case .quickGELU: COD_QUICK_GELU
            }
        run(x, weights, post, result)
        return result
    }

    /// One oneDNN product that adds to what is there.
    public func linear(_ x: Tensor, _ weights: Linear, addingTo residual: Tensor) {
        run(x, weights, COD_ADD_TO_RESULT, residual)
    }

    private func run(_ x: Tensor, _ weights: Linear, _ post: cod_post, _ result: Tensor) {
        guard let weights = weights as? PackedLinear else { preconditionFailure("weights of another backend") }
        precondition(result.shape == [x.rows, weights.outputs], "the result rows do not match the product")
        precondition(x.width == weights.inputs, "a row of \(x.width) does not fit weights of \(weights.inputs) inputs")
        guard x.rows > 0 else { return }
        let k = Int64(weights.inputs), n = Int64(weights.outputs)
        let product = cod_product(
            batch: 1, m: Int64(x.rows), k: k, n: n, a_type: x.type.cod, b_type: activationType.cod,
            c_type: result.type.cod,
            a: cod_strides(batch: 0, row: k, column: 1), b: cod_strides(), c: cod_strides(batch: 0, row: n, column: 1),
            has_bias: weights.bias.isEmpty ? 0 : 1, post: post)
        cod_use_threads(Int32(threads))
        x.withUnsafeBytes { a in
            result.withUnsafeMutableBytes { c in
                weights.bias.withUnsafeBufferPointer { bias in
                    products.run(
                        product, weights.packed, a.baseAddress, cod_weights_data(weights.packed), bias.baseAddress,
                        c.baseAddress)
                }
            }
        }
    }

    /// One pass of a kernel over float32 rows.
    public func normalize(_ x: Tensor, _ norm: Normalization, as type: ElementType) -> Tensor {
        precondition(x.type == residualType, "normalisation reads \(residualType) rows")
        precondition(x.width == norm.gain.count, "rows of \(x.width) with \(norm.gain.count) gains")
        let result = Tensor(shape: x.shape, type: type)
        cod_use_threads(Int32(threads))
        x.withUnsafeBytes { x0 in
            result.withUnsafeMutableBytes { out in
                let input = x0.assumingMemoryBound(to: Float.self).baseAddress
                let rows = Int64(x.rows), width = Int64(x.width), epsilon = Float(norm.epsilon)
                if let bias = norm.bias {
                    ck_layer_norm(input, rows, width, norm.gain, bias, epsilon, out.baseAddress, type.ck)
                } else {
                    ck_rms_norm(input, rows, width, norm.gain, epsilon, out.baseAddress, type.ck)
                }
            }
        }
        return result
    }

    /// One pass of a kernel.
    public func siluMultiply(_ gateUp: Tensor) -> Tensor {
        cod_use_threads(Int32(threads))
        let result = Tensor(shape: [gateUp.rows, gateUp.width / 2], type: activationType)
        gateUp.withUnsafeBytes { input in
            result.withUnsafeMutableBytes { output in
                ck_silu_multiply(
                    input.baseAddress, gateUp.type.ck, Int64(result.rows), Int64(result.width), output.baseAddress,
                    result.type.ck)
            }
        }
        return result
    }

    /// One pass of a kernel.
    public func rotarySplit(
        _ qkv: Tensor, _ heads: Heads, _ angles: RotaryAngles, keys: Tensor, values: Tensor
    ) -> Tensor {
        cod_use_threads(Int32(threads))
        checkRotarySplit(qkv, heads, angles, keys: keys, values: values)
        let queries = Tensor(shape: [qkv.rows, heads.width], type: activationType)
        qkv.withUnsafeBytes { input in
            queries.withUnsafeMutableBytes { q in
                keys.withUnsafeMutableBytes { k in
                    values.withUnsafeMutableBytes { v in
                        ck_rotary_split(
                            input.baseAddress, qkv.type.ck, Int64(qkv.rows), Int64(heads.count),
                            Int64(heads.keyValueCount),
                            Int64(heads.size), angles.cosine, angles.sine, q.baseAddress, k.baseAddress, v.baseAddress,
                            activationType.ck)
                    }
                }
            }
        }
        return queries
    }

    /// Queries are taken in blocks: their scores stay in cache, and a causal block skips the keys that none of it sees.
    private static let queryBlock = 96

    /// Two products and a softmax for each block of queries; the map is float32.
    public func attend(_ problem: Attention, output: Tensor, map: AttentionMapKind?) -> Tensor? {
        cod_use_threads(Int32(threads))
        problem.check(output: output)
        for part in [problem.queries.tensor, problem.keys.tensor, problem.values.tensor, output] {
            precondition(part.type == activationType, "attention reads and writes \(activationType)")
        }
        let heads = problem.heads
        let queries = problem.queries.tensor.rows, keys = problem.keys.tensor.rows
        let mean = map.map { _ in Tensor(shape: [queries, keys], type: .float32) }
        if let mean, problem.causal {
            mean.withUnsafeMutableBytes { _ = $0.initializeMemory(as: UInt8.self, repeating: 0) }
        }
        let scale = 1 / Float(heads.size).squareRoot()
        let scores = Tensor(shape: [heads.count, min(Self.queryBlock, queries), keys], type: .float32)
        for start in stride(from: 0, to: queries, by: Self.queryBlock) {
            let block = start..<min(start + Self.queryBlock, queries)
            let seen = problem.causal && map != .logits ? keys - queries + block.upperBound : keys
            score(problem, block, keys: seen, into: scores)
            if let bias = problem.keyBias {
                // The softmax scales what it finds.
                let rows = heads.count * block.count
                Self.add(bias.prefix(seen).map { Float($0) / scale }, toRowsOf: scores, count: rows)
            }
            let visible = problem.causal ? block.map { Int32(keys - queries + $0 + 1) } : []
            scores.withUnsafeMutableBytes { raw in
                let meanRows = mean?.rows(block)
                func softmax(_ mean: UnsafeMutablePointer<Float>?) {
                    ck_softmax(
                        raw.assumingMemoryBound(to: Float.self).baseAddress, Int64(heads.count), Int64(block.count),
                        Int64(seen), scale, visible.isEmpty ? nil : visible, activationType.ck, mean, Int64(keys),
                        map == .logits ? 1 : 0)
                }
                if let meanRows {
                    meanRows.withUnsafeMutableBytes { softmax($0.assumingMemoryBound(to: Float.self).baseAddress) }
                } else {
                    softmax(nil)
                }
            }
            mix(problem, block, keys: seen, scores, into: output)
        }
        return mean
    }

    /// Adds `bias` to each of the first `count` rows of as many numbers.
    private static func add(_ bias: [Float], toRowsOf scores: Tensor, count: Int) {
        scores.withUnsafeMutableBytes { bytes in
            let cells = bytes.bindMemory(to: Float.self)
            bias.withUnsafeBufferPointer { bias in
                for row in 0..<count {
                    let start = row * bias.count
                    for key in 0..<bias.count { cells[start + key] += bias[key] }
                }
            }
        }
    }

    /// scores (heads, block, keys) = queries · keysᵀ
    private func score(_ p: Attention, _ block: Range<Int>, keys: Int, into scores: Tensor) {
        let m = Int64(block.count), n = Int64(keys), d = Int64(p.heads.size)
        let a = cod_strides(batch: d, row: Int64(p.queries.tensor.width), column: 1)
        let b = cod_strides(batch: d, row: 1, column: Int64(p.keys.tensor.width))
        let c = cod_strides(batch: m * n, row: n, column: 1)
        eachHead(p, m: m, k: d, n: n, a, b, c, resultType: COD_F32) { head, keyHead, call in
            scores.withUnsafeMutableBytes { out in
                p.queries.tensor.withUnsafeBytes { q in
                    p.keys.tensor.withUnsafeBytes { k in
                        let size = activationType.size
                        call(
                            q.baseAddress.map {
                                $0 + (block.lowerBound * p.queries.tensor.width + p.queries.first + head * p.heads.size)
                                    * size
                            },
                            k.baseAddress.map { $0 + (p.keys.first + keyHead * p.heads.size) * size },
                            out.baseAddress.map { $0 + head * block.count * keys * 4 })
                    }
                }
            }
        }
    }

    /// output (block, heads·size) = probabilities · values; a probability row fills the front of its f32 score row.
    private func mix(_ p: Attention, _ block: Range<Int>, keys: Int, _ scores: Tensor, into output: Tensor) {
        let m = Int64(block.count), k = Int64(keys), d = Int64(p.heads.size)
        let row = k * Int64(4 / activationType.size)
        let a = cod_strides(batch: m * row, row: row, column: 1)
        let b = cod_strides(batch: d, row: Int64(p.values.tensor.width), column: 1)
        let c = cod_strides(batch: d, row: Int64(output.width), column: 1)
        eachHead(p, m: m, k: k, n: d, a, b, c, resultType: activationType.cod) { head, keyHead, call in
            output.withUnsafeMutableBytes { out in
                scores.withUnsafeBytes { s in
                    p.values.tensor.withUnsafeBytes { v in
                        let size = activationType.size
                        call(
                            s.baseAddress.map { $0 + head * block.count * keys * 4 },
                            v.baseAddress.map { $0 + (p.values.first + keyHead * p.heads.size) * size },
                            out.baseAddress.map { $0 + (block.lowerBound * output.width + head * p.heads.size) * size })
                    }
                }
            }
        }
    }

    private typealias Call = (UnsafeRawPointer?, UnsafeRawPointer?, UnsafeMutableRawPointer?) -> Void

    /// One product for all heads, or one a head where heads share keys and values.
    private func eachHead(
        _ p: Attention, m: Int64, k: Int64, n: Int64, _ a: cod_strides, _ b: cod_strides, _ c: cod_strides,
        resultType: cod_type, _ body: (_ head: Int, _ keyHead: Int, Call) -> Void
    ) {
        let together = p.heads.count == p.heads.keyValueCount
        let product = cod_product(
            batch: together ? Int64(p.heads.count) : 1, m: m, k: k, n: n, a_type: activationType.cod,
            b_type: activationType.cod, c_type: resultType, a: a, b: b, c: c, has_bias: 0, post: COD_NOTHING)
        for head in 0..<(together ? 1 : p.heads.count) {
            body(head, head / (p.heads.count / p.heads.keyValueCount)) { products.run(product, nil, $0, $1, nil, $2) }
        }
    }

    /// One kernel for all sequences and heads.
    public func attendSingle(_ queries: Tensor, _ heads: Heads, caches: [KeysAndValues]) -> Tensor {
        cod_use_threads(Int32(threads))
        precondition(queries.rows == caches.count, "one query for each cache")
        precondition(queries.width == heads.width && queries.type == activationType, "the queries do not fit the heads")
        for cache in caches {
            precondition(cache.keys.shape == cache.values.shape, "one value for each key")
            precondition(cache.keys.width == heads.keyValueWidth, "a cache does not fit the heads")
            precondition(
                cache.keys.type == activationType && cache.values.type == activationType, "caches of another type")
        }
        let result = Tensor(shape: [queries.rows, heads.width], type: activationType)
        let keys = caches.map { $0.keys.withUnsafeBytes { $0.baseAddress } }
        let values = caches.map { $0.values.withUnsafeBytes { $0.baseAddress } }
        let lengths = caches.map { Int64($0.keys.rows) }
        withExtendedLifetime(caches) {
            queries.withUnsafeBytes { q in
                result.withUnsafeMutableBytes { out in
                    ck_attend_single(
                        q.baseAddress, Int64(caches.count), Int64(heads.count), Int64(heads.keyValueCount),
                        Int64(heads.size), 1 / Float(heads.size).squareRoot(), keys, values, lengths, out.baseAddress,
                        activationType.ck)
                }
            }
        }
        return result
    }

    /// Copies rows one by one.
    public func gather(_ table: Tensor, rows: [Int], as type: ElementType) -> Tensor {
        let result = Tensor(shape: [rows.count, table.width], type: type)
        for (target, source) in rows.enumerated() {
            convert(table.rows(source..<source + 1), into: result.rows(target..<target + 1))
        }
        return result
    }

    /// The tensor itself where it has that type already.
    public func convert(_ x: Tensor, to type: ElementType) -> Tensor {
        if x.type == type { return x }
        let result = Tensor(shape: x.shape, type: type)
        convert(x, into: result)
        return result
    }

    private func convert(_ x: Tensor, into result: Tensor) {
        x.withUnsafeBytes { from in
            result.withUnsafeMutableBytes { to in
                if x.type == result.type {
                    to.copyMemory(from: from)
                } else if x.type == .float64 || result.type == .float64 {
                    result.store(x.doubles)
                } else {
                    ck_convert(from.baseAddress, x.type.ck, to.baseAddress, result.type.ck, Int64(x.count))
                }
            }
        }
    }
}

/// Weights in oneDNN's layout.
private final class PackedLinear: Linear, @unchecked Sendable {
    let packed: OpaquePointer
    let bias: [Float]

    init(_ packed: OpaquePointer, inputs: Int, outputs: Int, bias: [Float]) {
        self.packed = packed
        self.bias = bias
        super.init(inputs: inputs, outputs: outputs)
    }

    deinit { cod_weights_free(packed) }
}

private func engineFailure(_ what: String) -> TensorError {
    TensorError(.engineFailure, "could not \(what): \(lastEngineError()); is there enough memory?")
}

extension ElementType {
    /// As oneDNN's shim names it.
    fileprivate var cod: cod_type {
        switch self {
        case .float32: COD_F32
        case .bfloat16: COD_BF16
        case .float64, .float16: preconditionFailure("\(self) does not enter oneDNN products")
        }
    }

    /// As the kernels name it.
    fileprivate var ck: ck_type {
        switch self {
        case .float32: CK_F32
        case .bfloat16: CK_BF16
        case .float16: CK_F16
        case .float64: preconditionFailure("kernels do not compute in float64")
        }
    }
}
