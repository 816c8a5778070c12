package import Tensors

/// Random parameters of the right shapes: enough for measuring speed, made in memory.
package struct RandomWeights: WeightSource {
    private let seed: UInt64
    private let type: ElementType

    /// Numbers of `type` (bfloat16 or float32) that depend on `seed` and the tensor's name only.
    package init(seed: UInt64, type: ElementType = .bfloat16) {
        self.seed = seed
        self.type = type
    }

    package func tensor(_ name: String, shape: [Int]) throws -> Tensor {
        let result = Tensor(shape: shape, type: type)
        // Gains lie around 1; everything else is small enough that activations neither vanish nor explode.
        let isGain = shape.count == 1 && name.hasSuffix("weight")
        let spread = isGain ? 0.1 : 1 / Float(max(shape.last ?? 1, 1)).squareRoot()
        var state = name.utf8.reduce(seed &* 0x9E37_79B9_7F4A_7C15 | 1) { ($0 ^ UInt64($1)) &* 0x100_0000_01B3 }
        func next() -> Float {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            let uniform = Float(state >> 40) / Float(1 << 23) - 1
            return (isGain ? 1 : 0) + spread * uniform
        }
        result.withUnsafeMutableBytes { bytes in
            if type == .bfloat16 {
                for index in bytes.bindMemory(to: UInt16.self).indices {
                    bytes.storeBytes(of: BFloat16.bits(next()), toByteOffset: 2 * index, as: UInt16.self)
                }
            } else {
                for index in 0..<bytes.count / 4 {
                    bytes.storeBytes(of: next(), toByteOffset: 4 * index, as: Float.self)
                }
            }
        }
        return result
    }

    package func release(_ name: String) {}
}
