internal import COneDNN

extension Tensor {
    /// The scalar product of each of these rows with each row of `other`, (rows, rows of other), in the type that both
    /// have: float32 by the matrix engine, float64 in plain loops.
    public func products(withRowsOf other: Tensor) -> Tensor {
        precondition(width == other.width && type == other.type, "rows of \(width) and \(other.width), one type")
        let result = Tensor(shape: [rows, other.rows], type: type)
        guard result.count > 0 else { return result }
        switch type {
        case .float64: multiply(other, into: result)
        case .float32: multiplyByEngine(other, into: result)
        default: preconditionFailure("rows are compared in float32 or float64, not \(type)")
        }
        return result
    }

    /// Planned anew each time: the engine remembers what it planned before.
    private func multiplyByEngine(_ other: Tensor, into result: Tensor) {
        var product = cod_product()
        (product.batch, product.m, product.k, product.n) = (1, Int64(rows), Int64(width), Int64(other.rows))
        (product.a_type, product.b_type, product.c_type) = (COD_F32, COD_F32, COD_F32)
        product.a = cod_strides(batch: 0, row: Int64(width), column: 1)
        product.b = cod_strides(batch: 0, row: 1, column: Int64(width))
        product.c = cod_strides(batch: 0, row: Int64(other.rows), column: 1)
        guard let planned = cod_matmul_create(&product, nil) else { preconditionFailure(lastEngineError()) }
        defer { cod_matmul_free(planned) }
        withUnsafeBytes { a in
            other.withUnsafeBytes { b in
                result.withUnsafeMutableBytes { c in
                    precondition(
                        cod_matmul_run(planned, a.baseAddress, b.baseAddress, nil, c.baseAddress) == 0,
                        lastEngineError())
                }
            }
        }
    }

    private func multiply(_ other: Tensor, into result: Tensor) {
        let (width, columns) = (width, other.rows)
        withUnsafeBytes { a in
            other.withUnsafeBytes { b in
                result.withUnsafeMutableBytes { c in
                    let (a, b) = (a.bindMemory(to: Double.self), b.bindMemory(to: Double.self))
                    let c = c.bindMemory(to: Double.self)
                    for row in 0..<rows {
                        for column in 0..<columns {
                            var sum = 0.0
                            for at in 0..<width { sum += a[row * width + at] * b[column * width + at] }
                            c[row * columns + column] = sum
                        }
                    }
                }
            }
        }
    }
}
