/// A dense, row-major block of numbers: what the model computes on.
///
/// Copies share memory. Sharing is deliberate (a forward pass hands the same rows from step to step); whoever writes
/// through `withUnsafeMutableBytes` must be the only user at that moment.
public struct Tensor: @unchecked Sendable {
    /// Extents, outermost first; `(rows, width)` for everything that flows through the model.
    public let shape: [Int]
    /// How its numbers are stored.
    public let type: ElementType
    /// Where its bytes are.
    public let storage: Storage
    /// Where this tensor starts in its storage, in bytes.
    public let offset: Int

    /// A tensor over `storage`, starting `offset` bytes into it.
    public init(shape: [Int], type: ElementType, storage: Storage, offset: Int) {
        precondition(shape.allSatisfy { $0 >= 0 }, "a shape has no negative extents: \(shape)")
        precondition(offset >= 0, "a tensor starts in its storage, not \(offset) bytes into it")
        precondition(offset + shape.reduce(1, *) * type.size <= storage.byteCount, "the tensor leaves its storage")
        self.shape = shape
        self.type = type
        self.storage = storage
        self.offset = offset
    }

    /// Uninitialised memory of the given shape, taken from the pool of earlier tensors where one fits.
    public init(shape: [Int], type: ElementType) {
        self.init(shape: shape, type: type, storage: HostStorage(byteCount: shape.reduce(1, *) * type.size), offset: 0)
    }

    /// The given numbers as float32.
    public init(_ values: [Float], shape: [Int]) {
        precondition(values.count == shape.reduce(1, *), "\(values.count) values do not fill \(shape)")
        self.init(shape: shape, type: .float32)
        withUnsafeMutableBytes { bytes in values.withUnsafeBytes { bytes.copyMemory(from: $0) } }
    }

    /// The given numbers as float64.
    public init(_ values: [Double], shape: [Int]) {
        precondition(values.count == shape.reduce(1, *), "\(values.count) values do not fill \(shape)")
        self.init(shape: shape, type: .float64)
        withUnsafeMutableBytes { bytes in values.withUnsafeBytes { bytes.copyMemory(from: $0) } }
    }

    /// How many numbers.
    public var count: Int { shape.reduce(1, *) }
    /// How many bytes.
    public var byteCount: Int { count * type.size }
    /// The outermost extent; a single number without extents is one row.
    public var rows: Int { shape.first ?? 1 }
    /// Numbers per row: everything but the outermost extent.
    public var width: Int { shape.dropFirst().reduce(1, *) }

    /// Consecutive rows, sharing memory with this tensor.
    public func rows(_ range: Range<Int>) -> Tensor {
        precondition(range.lowerBound >= 0 && range.upperBound <= rows, "rows \(range) of \(rows)")
        return Tensor(
            shape: [range.count] + shape.dropFirst(), type: type, storage: storage,
            offset: offset + range.lowerBound * width * type.size)
    }

    /// The same numbers under another shape, sharing memory.
    public func reshaped(_ shape: [Int]) -> Tensor {
        precondition(shape.reduce(1, *) == count, "\(self.shape) cannot be seen as \(shape)")
        return Tensor(shape: shape, type: type, storage: storage, offset: offset)
    }

    /// Read access to the bytes, row-major, on the host.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        try storage.withHostBytes(offset..<offset + byteCount, body)
    }

    /// Write access to the bytes, row-major, on the host. The caller must be the only user of the memory.
    public func withUnsafeMutableBytes<Result>(
        _ body: (UnsafeMutableRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        try storage.withMutableHostBytes(offset..<offset + byteCount, body)
    }

    /// Overwrites the numbers with those of a tensor of the same count and type.
    public func copy(from other: Tensor) {
        precondition(
            other.count == count && other.type == type, "\(other.shape) \(other.type) does not fill \(shape) \(type)")
        withUnsafeMutableBytes { target in other.withUnsafeBytes { target.copyMemory(from: $0) } }
    }
}
