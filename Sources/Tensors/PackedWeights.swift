internal import CKernels
import Glibc

/// Weights laid out as the kernels of `CPUBackend` read them, in memory of their own or in a mapped file.
public struct PackedWeights: Sendable {
    /// Names this layout in files: it changes whenever a kernel wants its weights in another order.
    public static let layout = "panels32-2"

    /// How each number is stored.
    public let format: WeightFormat
    /// Numbers in a row that goes in.
    public let inputs: Int
    /// Numbers in a row that comes out.
    public let outputs: Int
    let storage: HostStorage
    let offset: Int

    /// Bytes that weights of these extents take.
    public static func byteCount(_ format: WeightFormat, inputs: Int, outputs: Int) -> Int {
        ck_packed_bytes(format.ck, Int64(inputs), Int64(outputs))
    }

    /// Bytes of the weights.
    public var byteCount: Int { Self.byteCount(format, inputs: inputs, outputs: outputs) }

    /// Weights in memory that is still zero.
    init(_ format: WeightFormat, inputs: Int, outputs: Int) throws(TensorError) {
        self.init(
            format, inputs: inputs, outputs: outputs,
            storage: try HostStorage(zeroed: Self.byteCount(format, inputs: inputs, outputs: outputs)), offset: 0)
    }

    /// Weights that lie in `storage` already.
    init(_ format: WeightFormat, inputs: Int, outputs: Int, storage: HostStorage, offset: Int) {
        self.format = format
        self.inputs = inputs
        self.outputs = outputs
        self.storage = storage
        self.offset = offset
        precondition(offset + byteCount <= storage.byteCount, "packed weights leave their storage")
    }

    /// Read access to the bytes.
    public func withUnsafeBytes<Result>(_ body: (UnsafeRawBufferPointer) throws -> Result) rethrows -> Result {
        defer { withExtendedLifetime(storage) {} }
        return try body(UnsafeRawBufferPointer(start: storage.base + offset, count: byteCount))
    }

    /// The numbers that products multiply with, `(outputs, inputs)` float32.
    func unpacked() -> Tensor {
        let result = Tensor(shape: [outputs, inputs], type: .float32)
        result.withUnsafeMutableBytes { bytes in
            let numbers = bytes.assumingMemoryBound(to: Float.self)
            withKernelView(bias: []) { view in
                for row in 0..<outputs {
                    withUnsafePointer(to: view) {
                        ck_unpack_row($0, Int64(row), numbers.baseAddress.map { $0 + row * inputs })
                    }
                }
            }
        }
        return result
    }

    /// What the kernels are handed.
    func withKernelView<Result>(bias: [Float], _ body: (ck_linear) -> Result) -> Result {
        defer { withExtendedLifetime(storage) {} }
        return bias.withUnsafeBufferPointer { bias in
            body(
                ck_linear(
                    weights: storage.base + offset, format: format.ck, inputs: Int64(inputs), outputs: Int64(outputs),
                    bias: bias.isEmpty ? nil : bias.baseAddress))
        }
    }
}

extension HostStorage {
    /// Zeroed pages of the system, of exactly this size: weights stay as long as their model, so they do not go through
    /// the pool.
    convenience init(zeroed byteCount: Int) throws(TensorError) {
        let size = max(byteCount, 1)
        guard let base = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), base != MAP_FAILED
        else {
            throw TensorError(
                .engineFailure, "no memory for \(size) bytes of weights: \(systemError()); is there a limit on memory?")
        }
        madvise(base, size, MADV_HUGEPAGE)
        self.init(base: base, byteCount: size) { base, size in munmap(base, size) }
    }
}

extension WeightFormat {
    /// The kernels' name for the format.
    var ck: ck_weights_format {
        switch self {
        case .f32: CK_WEIGHTS_F32
        case .bf16: CK_WEIGHTS_BF16
        case .f16: CK_WEIGHTS_F16
        case .int8: CK_WEIGHTS_INT8
        case .w8a8: CK_WEIGHTS_W8A8
        case .int4: CK_WEIGHTS_INT4
        }
    }
}
