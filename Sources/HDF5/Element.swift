/// A number that datasets and arrays of Swift hold with the same bits.
public protocol Element: BitwiseCopyable, Sendable {
    /// The type of the values as HDF5 names it.
    static var elementType: ElementType { get }
}

extension Int8: Element { public static var elementType: ElementType { .int8 } }
extension Int16: Element { public static var elementType: ElementType { .int16 } }
extension Int32: Element { public static var elementType: ElementType { .int32 } }
extension Int64: Element { public static var elementType: ElementType { .int64 } }
extension Int: Element { public static var elementType: ElementType { .int64 } }
extension UInt8: Element { public static var elementType: ElementType { .uint8 } }
extension UInt16: Element { public static var elementType: ElementType { .uint16 } }
extension UInt32: Element { public static var elementType: ElementType { .uint32 } }
extension UInt64: Element { public static var elementType: ElementType { .uint64 } }
extension Float16: Element { public static var elementType: ElementType { .float16 } }
extension Float: Element { public static var elementType: ElementType { .float32 } }
extension Double: Element { public static var elementType: ElementType { .float64 } }
