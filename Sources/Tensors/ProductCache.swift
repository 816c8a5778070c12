internal import COneDNN

/// Products that were planned before: planning costs 0.1–0.2 ms, and the same few shapes come back in every layer.
final class ProductCache {
    private var products: [SIMD16<Int64>: OpaquePointer] = [:]
    private static let bound = 4096

    /// Runs a product, planning it the first time; `weights` is nil where `b` is an ordinary matrix.
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
func lastEngineError() -> String { String(cString: cod_last_error()) }
