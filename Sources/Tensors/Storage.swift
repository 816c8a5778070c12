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

/// Freed blocks by size, up to a bound; beyond it those of the sizes that were asked for longest ago go back to the system.
final class StoragePool: Sendable {
    static let shared = StoragePool()

    private struct Free: @unchecked Sendable {
        var blocks: [Int: [UnsafeMutableRawPointer]] = [:]
        /// When a block of each size was last taken or given back.
        var lastUse: [Int: Int] = [:]
        var clock = 0
        var bytes = 0

        mutating func use(_ capacity: Int) {
            clock += 1
            lastUse[capacity] = clock
        }

        mutating func pop(_ capacity: Int) -> UnsafeMutableRawPointer? {
            guard let block = blocks[capacity]?.popLast() else { return nil }
            if blocks[capacity]?.isEmpty == true { blocks[capacity] = nil }
            bytes -= capacity
            return block
        }
    }

    private let free = Mutex(Free())
    private static let bound = 256 << 20

    /// Sizes are rounded up to an eighth of their power of two, so that nearly equal row counts share blocks.
    static func capacity(for byteCount: Int) -> Int {
        guard byteCount > 4096 else { return 4096 }
        let step = 1 << max(12, Int.bitWidth - 1 - byteCount.leadingZeroBitCount - 3)
        return (byteCount + step - 1) / step * step
    }

    func take(_ capacity: Int) -> UnsafeMutableRawPointer {
        if let block = free.withLock({ free -> UnsafeMutableRawPointer? in
            free.use(capacity)
            return free.pop(capacity)
        }) {
            return block
        }
        guard let block = aligned_alloc(64, capacity) else { fatalError("out of memory for \(capacity) bytes") }
        return block
    }

    func give(_ block: UnsafeMutableRawPointer, _ capacity: Int) {
        guard capacity <= Self.bound else { return Glibc.free(block) }
        free.withLock { free in
            free.use(capacity)
            while free.bytes + capacity > Self.bound {
                let oldest = free.blocks.keys.min { free.lastUse[$0, default: 0] < free.lastUse[$1, default: 0] }
                guard let oldest, let old = free.pop(oldest) else { break }
                Glibc.free(old)
            }
            free.blocks[capacity, default: []].append(block)
            free.bytes += capacity
        }
    }
}
