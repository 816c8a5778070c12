import Tensors

/// SplitMix64: the same numbers in every run.
struct Random: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Numbers in `-scale..<scale` that bfloat16 holds exactly, so that every backend starts from the same ones.
    mutating func tensor(_ shape: [Int], scale: Float = 1) -> Tensor {
        let values = (0..<shape.reduce(1, *)).map { _ in
            BFloat16.value(BFloat16.bits(Float.random(in: -scale..<scale, using: &self)))
        }
        return Tensor(values, shape: shape)
    }
}

/// A tensor with these bits.
func bits<Stored: BitwiseCopyable>(_ values: [Stored], _ type: ElementType, shape: [Int]? = nil) -> Tensor {
    let result = Tensor(shape: shape ?? [values.count], type: type)
    result.withUnsafeMutableBytes { to in values.withUnsafeBytes { to.copyMemory(from: $0) } }
    return result
}

/// The bits of a tensor.
func bits<Stored: BitwiseCopyable>(of tensor: Tensor, as type: Stored.Type) -> [Stored] {
    tensor.withUnsafeBytes { bytes in
        (0..<tensor.count).map {
            bytes.loadUnaligned(fromByteOffset: $0 * MemoryLayout<Stored>.size, as: Stored.self)
        }
    }
}
