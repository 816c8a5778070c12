import Glibc
import Synchronization

/// Memory behind tensors: 64-byte aligned, returned to a pool when the last tensor lets go.
///
/// A forward pass asks for the same few sizes again and again; without the pool every one of them would be fresh pages
/// from the kernel.
final class Storage: @unchecked Sendable {
    let base: UnsafeMutableRawPointer
    let byteCount: Int
    private let release: (UnsafeMutableRawPointer, Int) -> Void

    /// `byteCount` bytes from the pool.
    convenience init(byteCount: Int) {
        let capacity = StoragePool.capacity(for: byteCount)
        self.init(base: StoragePool.shared.take(capacity), byteCount: byteCount) { base, _ in
            StoragePool.shared.give(base, capacity)
        }
    }

    /// Memory owned by somebody else, such as a mapped file; `release` runs when the last tensor lets go.
    init(base: UnsafeMutableRawPointer, byteCount: Int, release: @escaping (UnsafeMutableRawPointer, Int) -> Void) {
        self.base = base
        self.byteCount = byteCount
        self.release = release
    }

    deinit { release(base, byteCount) }
}

/// Freed blocks by size, up to a bound; beyond it they go back to the system.
final class StoragePool: Sendable {
    static let shared = StoragePool()

    private struct Free {
        var blocks: [Int: [UnsafeMutableRawPointer]] = [:]
        var bytes = 0
    }

    private let free = Mutex(FreeBox())
    private static let bound = 1 << 30

    private struct FreeBox: @unchecked Sendable { var value = Free() }

    /// Sizes are rounded up to an eighth of their power of two, so that nearly equal row counts share blocks.
    static func capacity(for byteCount: Int) -> Int {
        guard byteCount > 4096 else { return 4096 }
        let step = 1 << max(12, Int.bitWidth - 1 - byteCount.leadingZeroBitCount - 3)
        return (byteCount + step - 1) / step * step
    }

    func take(_ capacity: Int) -> UnsafeMutableRawPointer {
        if let block = free.withLock({ box -> UnsafeMutableRawPointer? in
            guard let block = box.value.blocks[capacity]?.popLast() else { return nil }
            box.value.bytes -= capacity
            return block
        }) {
            return block
        }
        guard let block = aligned_alloc(64, capacity) else { fatalError("out of memory for \(capacity) bytes") }
        return block
    }

    func give(_ block: UnsafeMutableRawPointer, _ capacity: Int) {
        let kept = free.withLock { box in
            guard box.value.bytes + capacity <= Self.bound else { return false }
            box.value.blocks[capacity, default: []].append(block)
            box.value.bytes += capacity
            return true
        }
        if !kept { Glibc.free(block) }
    }
}
