internal import CKernels

extension Tensor {
    /// The scalar product of each of these rows with each row of `other`, (rows, rows of other), in the type that both
    /// have: float32 by a kernel, float64 in plain loops.
    public func products(withRowsOf other: Tensor) -> Tensor {
        precondition(width == other.width && type == other.type, "rows of \(width) and \(other.width), one type")
        let result = Tensor(shape: [rows, other.rows], type: type)
        guard result.count > 0 else { return result }
        switch type {
        case .float64: multiply(other, into: result)
        case .float32: multiplyByKernel(other, into: result)
        default: preconditionFailure("rows are compared in float32 or float64, not \(type)")
        }
        return result
    }

    private func multiplyByKernel(_ other: Tensor, into result: Tensor) {
        withUnsafeBytes { a in
            other.withUnsafeBytes { b in
                result.withUnsafeMutableBytes { c in
                    ck_row_products(
                        a.assumingMemoryBound(to: Float.self).baseAddress, Int64(rows),
                        b.assumingMemoryBound(to: Float.self).baseAddress, Int64(other.rows), Int64(width),
                        c.assumingMemoryBound(to: Float.self).baseAddress)
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
