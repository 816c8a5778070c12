/// Numbers in and out of tensors, converted on the way. Tensors of mapped files may start at any byte.
extension Tensor {
    /// The numbers as Float, converted where they are stored otherwise.
    public var floats: [Float] {
        switch type {
        case .float64: read(Double.self) { Float($0) }
        case .float32: read(Float.self) { $0 }
        case .bfloat16: read(UInt16.self) { BFloat16.value($0) }
        case .float16: read(Float16.self) { Float($0) }
        }
    }

    /// The numbers as Double, converted where they are stored otherwise.
    public var doubles: [Double] {
        switch type {
        case .float64: read(Double.self) { $0 }
        case .float32: read(Float.self) { Double($0) }
        case .bfloat16: read(UInt16.self) { Double(BFloat16.value($0)) }
        case .float16: read(Float16.self) { Double($0) }
        }
    }

    /// Replaces every number, rounding to this tensor's type.
    func store(_ values: [Double]) {
        precondition(values.count == count, "\(values.count) values do not fill \(shape)")
        switch type {
        case .float64: write(values) { $0 }
        case .float32: write(values) { Float($0) }
        case .bfloat16: write(values) { BFloat16.bits(Float($0)) }
        case .float16: write(values) { Float16($0) }
        }
    }

    @inline(__always)
    private func read<Stored: BitwiseCopyable, Number>(_: Stored.Type, _ convert: (Stored) -> Number) -> [Number] {
        let count = count
        return withUnsafeBytes { bytes in
            Array(unsafeUninitializedCapacity: count) { numbers, initialized in
                for index in 0..<count {
                    let stored = bytes.loadUnaligned(
                        fromByteOffset: index * MemoryLayout<Stored>.size, as: Stored.self)
                    numbers.initializeElement(at: index, to: convert(stored))
                }
                initialized = count
            }
        }
    }

    @inline(__always)
    private func write<Stored: BitwiseCopyable>(_ values: [Double], _ convert: (Double) -> Stored) {
        withUnsafeMutableBytes { bytes in
            for (index, value) in values.enumerated() {
                bytes.storeBytes(
                    of: convert(value), toByteOffset: index * MemoryLayout<Stored>.size, as: Stored.self)
            }
        }
    }
}

extension Columns {
    /// These columns as a tensor of their own, (rows, columns): float64 where they are, else float32.
    public var numbers: Tensor {
        let shape = [tensor.rows, count]
        switch tensor.type {
        case .float64: return Tensor(copy(Double.self) { $0 }, shape: shape)
        case .float32: return Tensor(copy(Float.self) { $0 }, shape: shape)
        case .bfloat16: return Tensor(copy(UInt16.self) { BFloat16.value($0) }, shape: shape)
        case .float16: return Tensor(copy(Float16.self) { Float($0) }, shape: shape)
        }
    }

    @inline(__always)
    private func copy<Stored: BitwiseCopyable, Number>(_: Stored.Type, _ number: (Stored) -> Number) -> [Number] {
        let size = tensor.rows * count
        return tensor.withUnsafeBytes { bytes in
            Array(unsafeUninitializedCapacity: size) { numbers, initialized in
                for row in 0..<tensor.rows {
                    let start = (row * tensor.width + first) * MemoryLayout<Stored>.size
                    for column in 0..<count {
                        let stored = bytes.loadUnaligned(
                            fromByteOffset: start + column * MemoryLayout<Stored>.size, as: Stored.self)
                        numbers.initializeElement(at: row * count + column, to: number(stored))
                    }
                }
                initialized = size
            }
        }
    }

    /// The numbers of these columns, row by row.
    var doubles: [Double] {
        let numbers = tensor.doubles
        guard count < tensor.width else { return numbers }
        return (0..<tensor.rows).flatMap { numbers[$0 * tensor.width + first..<$0 * tensor.width + first + count] }
    }
}
