private import CHDF5

/// What the values of a dataset or attribute are.
///
/// An enumeration counts as the integer that stores it; ``Dataset/enumerationNames()`` gives the names.
public enum ElementType: Sendable, Hashable, CaseIterable {
    /// Integers with a sign.
    case int8, int16, int32, int64
    /// Integers without a sign.
    case uint8, uint16, uint32, uint64
    /// IEEE floating point; other layouts of the same size, such as bfloat16, are converted when read.
    case float16, float32, float64
    /// Text.
    case string

    /// Bytes of one value in memory; a string counts as the pointer to it.
    public var byteCount: Int {
        switch self {
        case .int8, .uint8: 1
        case .int16, .uint16, .float16: 2
        case .int32, .uint32, .float32: 4
        case .int64, .uint64, .float64, .string: 8
        }
    }

    var isFloat: Bool { self == .float16 || self == .float32 || self == .float64 }
    var isSigned: Bool { self == .int8 || self == .int16 || self == .int32 || self == .int64 }

    /// Whether reading as `other` keeps every integer exact; floats may be rounded to other floats.
    func isReadable(as other: ElementType) -> Bool {
        if self == .string || other == .string { return self == other }
        if isFloat { return other.isFloat }
        if other.isFloat { return true }
        if isSigned == other.isSigned { return byteCount <= other.byteCount }
        return other.isSigned && byteCount < other.byteCount
    }

    /// The library's identifier of the type in memory, which is also how it is stored; never closed.
    /// Called inside of ``HDF5Library/run(_:)`` only.
    var identifier: Int64 {
        switch self {
        case .int8: ch5_int8()
        case .int16: ch5_int16()
        case .int32: ch5_int32()
        case .int64: ch5_int64()
        case .uint8: ch5_uint8()
        case .uint16: ch5_uint16()
        case .uint32: ch5_uint32()
        case .uint64: ch5_uint64()
        case .float16: Self.float16Identifier
        case .float32: ch5_float32()
        case .float64: ch5_float64()
        case .string: Self.stringIdentifier
        }
    }

    private static let float16Identifier = ch5_make_float16()
    private static let stringIdentifier = ch5_make_text(1)
}
