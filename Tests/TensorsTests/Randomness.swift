import Tensors
import TestSupport

extension SeededGenerator {
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
