/// How one number of a tensor is stored.
public enum ElementType: String, Sendable, CaseIterable {
    case float64, float32, bfloat16, float16

    /// Bytes per number.
    public var size: Int {
        switch self {
        case .float64: 8
        case .float32: 4
        case .bfloat16, .float16: 2
        }
    }
}

/// bfloat16 has no Swift type: it travels as the upper half of an IEEE single.
public enum BFloat16 {
    /// The nearest bfloat16, ties to even; NaN stays NaN.
    @inlinable
    public static func bits(_ value: Float) -> UInt16 {
        let bits = value.bitPattern
        if value.isNaN { return UInt16(truncatingIfNeeded: bits >> 16) | 0x40 }
        return UInt16(truncatingIfNeeded: (bits &+ 0x7FFF &+ ((bits >> 16) & 1)) >> 16)
    }

    /// The exact value of a bfloat16.
    @inlinable
    public static func value(_ bits: UInt16) -> Float { Float(bitPattern: UInt32(bits) << 16) }
}
