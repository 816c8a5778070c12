internal import CKernels
internal import COneDNN

/// Products of bf16 rows with bf16 weights, which oneDNN multiplies with the processor's own instructions for them.
final class OneDNNProducts {
    private let threads: Int
    private let cache = ProductCache()

    /// Whether the processor multiplies bf16 natively.
    static var hasBFloat16: Bool { cod_has_bf16() != 0 }

    init(threads: Int) { self.threads = threads }

    /// Packs `(outputs, inputs)` bf16 into the layout that oneDNN prefers.
    func pack(_ matrix: Tensor, bias: [Float]) throws(TensorError) -> Linear {
        let outputs = matrix.rows, inputs = matrix.width
        guard
            let packed = matrix.withUnsafeBytes({
                cod_weights_pack(Int64(outputs), Int64(inputs), COD_BF16, $0.baseAddress)
            })
        else {
            throw TensorError(
                .engineFailure,
                "could not pack weights (\(outputs), \(inputs)): \(lastEngineError()); is there enough memory?")
        }
        return OneDNNLinear(packed, inputs: inputs, outputs: outputs, bias: bias)
    }

    /// `result = f(x·Wᵀ + b)`, or `result += x·Wᵀ + b`.
    func multiply(_ x: Tensor, _ weights: OneDNNLinear, _ finish: ck_finish, _ result: Tensor) {
        let k = Int64(weights.inputs), n = Int64(weights.outputs)
        let post: cod_post =
            switch finish {
            case CK_ADD_TO_RESULT: COD_ADD_TO_RESULT
            case CK_GELU: COD_GELU
            case CK_QUICK_GELU: COD_QUICK_GELU
            default: COD_NOTHING
            }
        let product = cod_product(
            batch: 1, m: Int64(x.rows), k: k, n: n, a_type: x.type.cod, b_type: COD_BF16, c_type: result.type.cod,
            a: cod_strides(batch: 0, row: k, column: 1), b: cod_strides(), c: cod_strides(batch: 0, row: n, column: 1),
            has_bias: weights.bias.isEmpty ? 0 : 1, post: post)
        x.withUnsafeBytes { a in
            result.withUnsafeMutableBytes { c in
                weights.bias.withUnsafeBufferPointer { bias in
                    cache.run(
                        product, weights.packed, a.baseAddress, cod_weights_data(weights.packed), bias.baseAddress,
                        c.baseAddress)
                }
            }
        }
    }
}

/// Weights in oneDNN's layout.
final class OneDNNLinear: Linear, @unchecked Sendable {
    let packed: OpaquePointer
    let bias: [Float]

    init(_ packed: OpaquePointer, inputs: Int, outputs: Int, bias: [Float]) {
        self.packed = packed
        self.bias = bias
        super.init(inputs: inputs, outputs: outputs, format: .bf16, byteCount: cod_weights_bytes(packed))
    }

    deinit { cod_weights_free(packed) }
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
}

/// Products that were planned before: planning costs 0.1–0.2 ms, and the same few shapes come back in every layer.
private final class ProductCache {
    private var products: [SIMD16<Int64>: OpaquePointer] = [:]
    private static let bound = 4096

    /// Runs a product, planning it the first time; `weights` is nil if `b` is an ordinary matrix.
    func run(
        _ p: cod_product, _ weights: OpaquePointer?, _ a: UnsafeRawPointer?, _ b: UnsafeRawPointer?,
        _ bias: UnsafePointer<Float>?, _ c: UnsafeMutableRawPointer?
    ) {
        let product = planned(p, weights)
        precondition(cod_matmul_run(product, a, b, bias, c) == 0, lastEngineError())
    }

    private func planned(_ p: cod_product, _ weights: OpaquePointer?) -> OpaquePointer {
        let key = Self.key(p, isPacked: weights != nil)
        if let known = products[key] { return known }
        if products.count >= Self.bound { clear() }
        var description = p
        guard let product = cod_matmul_create(&description, weights) else { preconditionFailure(lastEngineError()) }
        products[key] = product
        return product
    }

    /// Everything a plan depends on, in one value without memory of its own.
    private static func key(_ p: cod_product, isPacked: Bool) -> SIMD16<Int64> {
        let kinds = [p.a_type.rawValue, p.b_type.rawValue, p.c_type.rawValue, p.post.rawValue]
            .reduce(Int64(p.has_bias) * 2 + (isPacked ? 1 : 0)) { $0 * 16 + Int64($1) }
        return SIMD16(
            p.batch, p.m, p.k, p.n, p.a.batch, p.a.row, p.a.column, p.b.batch, p.b.row, p.b.column, p.c.batch, p.c.row,
            p.c.column, kinds, 0, 0)
    }

    private func clear() {
        for product in products.values { cod_matmul_free(product) }
        products.removeAll()
    }

    deinit { clear() }
}

/// Why the engine's last call on this thread failed.
private func lastEngineError() -> String { String(cString: cod_last_error()) }
