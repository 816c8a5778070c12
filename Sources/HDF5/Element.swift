/// A number that datasets and arrays of Swift hold with the same bits.
public protocol Element: BitwiseCopyable, Sendable {
    /// The type of the values as HDF5 names it.
    static var elementType: ElementType { get }
}

extension Int8: Element {
    /// See ``ElementType/int8``.
    public static var elementType: ElementType { .int8 }
}

extension Int16: Element {
    /// See ``ElementType/int16``.
    public static var elementType: ElementType { .int16 }
}

extension Int32: Element {
    /// See ``ElementType/int32``.
    public static var elementType: ElementType { .int32 }
}

extension Int64: Element {
    /// See ``ElementType/int64``.
    public static var elementType: ElementType { .int64 }
}

extension Int: Element {
    /// See ``ElementType/int64``.
    public static var elementType: ElementType { .int64 }
}

extension UInt8: Element {
    /// See ``ElementType/uint8``.
    public static var elementType: ElementType { .uint8 }
}

extension UInt16: Element {
    /// See ``ElementType/uint16``.
    public static var elementType: ElementType { .uint16 }
}

extension UInt32: Element {
    /// See ``ElementType/uint32``.
    public static var elementType: ElementType { .uint32 }
}

extension UInt64: Element {
    /// See ``ElementType/uint64``.
    public static var elementType: ElementType { .uint64 }
}

extension Float16: Element {
    /// See ``ElementType/float16``.
    public static var elementType: ElementType { .float16 }
}

extension Float: Element {
    /// See ``ElementType/float32``.
    public static var elementType: ElementType { .float32 }
}

extension Double: Element {
    /// See ``ElementType/float64``.
    public static var elementType: ElementType { .float64 }
}
