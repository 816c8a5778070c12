import Glibc
import Synchronization

/// Where the bytes of tensors are.
///
/// A backend that computes elsewhere than in the host's memory, such as on a device, derives a class of its own: it keeps its
/// bytes there and copies them where somebody reads or writes a tensor on the host. The backend's own verbs take the storage
/// from the tensor and copy nothing.
open class Storage: @unchecked Sendable {
    // Unchecked: tensors say who may write to the bytes, and when.

    /// The number of bytes.
    public let byteCount: Int
    /// The bytes, where they are in the host's memory.
    let hostBase: UnsafeMutableRawPointer?

    /// Bytes outside of the host's memory: a subclass overrides `copyToHost` and `copyFromHost`.
    public init(byteCount: Int) {
        self.byteCount = byteCount
        hostBase = nil
    }

    fileprivate init(hostBase: UnsafeMutableRawPointer, byteCount: Int) {
        self.byteCount = byteCount
        self.hostBase = hostBase
    }

    /// Copies the bytes from `offset` on into `target`, and waits for what still computes them.
    open func copyToHost(_ target: UnsafeMutableRawBufferPointer, from offset: Int) {
        preconditionFailure("a storage outside of the host's memory copies its bytes itself")
    }

    /// Replaces the bytes from `offset` on by those of `source`.
    open func copyFromHost(_ source: UnsafeRawBufferPointer, to offset: Int) {
        preconditionFailure("a storage outside of the host's memory copies its bytes itself")
    }

    /// Calls `body` with some of the bytes in the host's memory: the bytes themselves, or a copy of them.
    final func withHostBytes<Result>(
        _ range: Range<Int>, _ body: (UnsafeRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        if let hostBase {
            defer { withExtendedLifetime(self) {} }
            return try body(UnsafeRawBufferPointer(start: hostBase + range.lowerBound, count: range.count))
        }
        return try withCopy(range) { try body(UnsafeRawBufferPointer($0)) }
    }

    private final func withCopy<Result>(
        _ range: Range<Int>, _ body: (UnsafeMutableRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        let copy = HostStorage(byteCount: range.count)
        defer { withExtendedLifetime(copy) {} }
        let bytes = UnsafeMutableRawBufferPointer(start: copy.base, count: range.count)
        copyToHost(bytes, from: range.lowerBound)
        return try body(bytes)
    }

    /// Calls `body` with some of the bytes in the host's memory, which it may change: the bytes themselves, or a copy that
    /// replaces them when it returns or throws.
    final func withMutableHostBytes<Result>(
        _ range: Range<Int>, _ body: (UnsafeMutableRawBufferPointer) throws -> Result
    ) rethrows -> Result {
        if let hostBase {
            defer { withExtendedLifetime(self) {} }
            return try body(UnsafeMutableRawBufferPointer(start: hostBase + range.lowerBound, count: range.count))
        }
        return try withCopy(range) { bytes in
            defer { copyFromHost(UnsafeRawBufferPointer(bytes), to: range.lowerBound) }
            return try body(bytes)
        }
    }
}

/// Bytes in the host's memory: 64-byte aligned, returned to a pool when the last tensor lets go.
///
/// A forward pass asks for the same few sizes again and again; without the pool every one of them would be fresh pages
/// from the kernel.
final class HostStorage: Storage, @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    private let release: (UnsafeMutableRawPointer, Int) -> Void

    /// `byteCount` bytes from the pool.
    convenience override init(byteCount: Int) {
        let capacity = StoragePool.capacity(for: byteCount)
        self.init(base: StoragePool.shared.take(capacity), byteCount: byteCount) { base, _ in
            StoragePool.shared.give(base, capacity)
        }
    }

    /// Memory owned by somebody else, such as a mapped file; `release` runs when the last tensor lets go.
    init(base: UnsafeMutableRawPointer, byteCount: Int, release: @escaping (UnsafeMutableRawPointer, Int) -> Void) {
        self.base = base
        self.release = release
        super.init(hostBase: base, byteCount: byteCount)
    }

    override func copyToHost(_ target: UnsafeMutableRawBufferPointer, from offset: Int) {
        target.copyMemory(from: UnsafeRawBufferPointer(start: base + offset, count: target.count))
    }

    override func copyFromHost(_ source: UnsafeRawBufferPointer, to offset: Int) {
        (base + offset).copyMemory(from: source.baseAddress ?? UnsafeRawPointer(base), byteCount: source.count)
    }

    deinit { release(base, byteCount) }
}

/// Memory of tensors that were let go of, which the next ones take instead of fresh pages from the system.
public enum TensorMemory {
    /// Lets tensors, and what is kept for the next ones, take `bytes` together, of which at most 2 GiB are kept. Without a plan, or
    /// beyond it, up to 256 MiB are kept.
    public static func plan(bytes: Int) { StoragePool.shared.plan(bytes) }
}

/// Freed blocks by size, up to a bound; beyond it those of the sizes that were asked for longest ago go back to the system.
final class StoragePool: Sendable {
    static let shared = StoragePool()

    private struct Blocks: @unchecked Sendable {
        private var free: [Int: [UnsafeMutableRawPointer]] = [:]
        /// When a block of each size was last taken or given back.
        private var lastUse: [Int: Int] = [:]
        private var clock = 0
        private var freeBytes = 0, takenBytes = 0
        /// Bytes that taken and free blocks may have together.
        private var planned = 0

        /// Most bytes that are kept free.
        private var bound: Int { max(256 << 20, min(planned - takenBytes, 2 << 30)) }

        mutating func take(_ capacity: Int) -> UnsafeMutableRawPointer? {
            use(capacity)
            takenBytes += capacity
            let block = pop(capacity)
            trim()
            return block
        }

        mutating func give(_ block: UnsafeMutableRawPointer, _ capacity: Int) {
            use(capacity)
            takenBytes -= capacity
            free[capacity, default: []].append(block)
            freeBytes += capacity
            trim()
        }

        mutating func plan(_ bytes: Int) {
            planned = bytes
            trim()
        }

        private mutating func trim() {
            while freeBytes > bound {
                let oldest = free.keys.min { lastUse[$0, default: 0] < lastUse[$1, default: 0] }
                guard let oldest, let block = pop(oldest) else { return }
                Glibc.free(block)
            }
        }

        private mutating func use(_ capacity: Int) {
            clock += 1
            lastUse[capacity] = clock
        }

        private mutating func pop(_ capacity: Int) -> UnsafeMutableRawPointer? {
            guard let block = free[capacity]?.popLast() else { return nil }
            if free[capacity]?.isEmpty == true { free[capacity] = nil }
            freeBytes -= capacity
            return block
        }
    }

    private let blocks = Mutex(Blocks())

    func plan(_ bytes: Int) { blocks.withLock { $0.plan(bytes) } }

    /// Sizes are rounded up to an eighth of their power of two, so that nearly equal row counts share blocks.
    static func capacity(for byteCount: Int) -> Int {
        guard byteCount > 4096 else { return 4096 }
        let step = 1 << max(12, Int.bitWidth - 1 - byteCount.leadingZeroBitCount - 3)
        return (byteCount + step - 1) / step * step
    }

    func take(_ capacity: Int) -> UnsafeMutableRawPointer {
        if let block = blocks.withLock({ $0.take(capacity) }) { return block }
        guard let block = aligned_alloc(64, capacity) else { fatalError("out of memory for \(capacity) bytes") }
        return block
    }

    func give(_ block: UnsafeMutableRawPointer, _ capacity: Int) {
        blocks.withLock { $0.give(block, capacity) }
    }
}
