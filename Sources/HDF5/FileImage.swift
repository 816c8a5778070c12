private import CHDF5
private import Glibc
private import Synchronization

/// The bytes of a finished HDF5 file in memory.
public final class FileImage: @unchecked Sendable {
    // Written by the library's callbacks until the file is closed, and by nobody afterwards: hence Sendable.
    private var memory: UnsafeMutableRawPointer?
    private var capacity = 0
    /// What the library builds the file in, and the bytes that were asked of the system for it.
    private var block = Block()

    /// The number of bytes.
    public private(set) var count = 0

    private struct Block: @unchecked Sendable {
        var start: UnsafeMutableRawPointer?
        var bytes = 0
    }

    /// The memory of an image that is gone, for the next one: fresh pages of the kernel cost as much as filling them.
    private static let spare = Mutex(Block())
    private static let mostSpare = 256 << 20

    init() {}

    deinit {
        guard let memory else { return }
        let last = Block(start: memory, bytes: memory == block.start ? block.bytes : capacity)
        let isKept = Self.spare.withLock { spare -> Bool in
            guard spare.start == nil, last.bytes <= Self.mostSpare else { return false }
            spare = last
            return true
        }
        if !isKept { free(memory) }
    }

    /// Memory of at least `size` bytes that begins with those of `memory`; nil if the system has none.
    private func grown(_ memory: UnsafeMutableRawPointer?, to size: Int) -> UnsafeMutableRawPointer? {
        if memory == nil {
            block = Self.spare.withLock { spare -> Block in
                let taken = spare
                spare = Block()
                return taken
            }
        }
        let start = memory ?? block.start
        if start != nil, start == block.start, size <= block.bytes {
            capacity = size
            return start
        }
        let grown = realloc(start, size)
        if let grown {
            block = Block(start: grown, bytes: size)
            capacity = size
        } else if memory == nil {
            free(block.start)
            block = Block()
        }
        return grown
    }

    /// Calls `body` with the bytes.
    public func withUnsafeBytes<Value, Failure: Error>(
        _ body: (UnsafeRawBufferPointer) throws(Failure) -> Value
    ) throws(Failure) -> Value {
        try body(UnsafeRawBufferPointer(start: memory, count: count))
    }

    /// Makes the library build the file of this access list in our memory.
    ///
    /// Closing the file hands the memory over; `H5Fget_file_image` would copy it, and leaves a wrong checksum in the
    /// superblock of the formats we write (HDF5 1.10.8). This object must outlive the open file.
    func receive(from access: borrowing Handle, name: String) throws(HDF5Error) {
        try check("create", name) { H5Pset_fapl_core(access.id, 4 << 20, false) }
        var callbacks = H5FD_file_image_callbacks_t()
        callbacks.image_malloc = { size, _, _ in malloc(size) }
        callbacks.image_memcpy = { target, source, size, _, _ in
            guard let target, let source else { return target }
            return memcpy(target, source, size)
        }
        callbacks.image_realloc = { memory, size, _, context in
            guard let image = FileImage.at(context) else { return realloc(memory, size) }
            return image.grown(memory, to: size)
        }
        callbacks.image_free = { memory, operation, context in
            if operation == H5FD_FILE_IMAGE_OP_FILE_CLOSE, let image = FileImage.at(context) {
                image.memory = memory
            } else {
                free(memory)
            }
            return 0
        }
        callbacks.udata_copy = { $0 }
        callbacks.udata_free = { _ in 0 }
        callbacks.udata = Unmanaged.passUnretained(self).toOpaque()
        try check("create", name) { H5Pset_file_image_callbacks(access.id, &callbacks) }
    }

    private static func at(_ context: UnsafeMutableRawPointer?) -> FileImage? {
        context.map { Unmanaged<FileImage>.fromOpaque($0).takeUnretainedValue() }
    }

    /// Finds the end of the file in its superblock (version 2 and 3: eight bytes at offset 28), once it is closed.
    func finish(_ name: String) throws(HDF5Error) {
        let end = memory.map { $0.loadUnaligned(fromByteOffset: 28, as: UInt64.self) } ?? 0
        guard let memory, capacity >= 48, end >= 48, end <= UInt64(capacity),
            (2...3).contains(memory.load(fromByteOffset: 8, as: UInt8.self))
        else {
            throw HDF5Error(code: .other, message: "\(name) was not built as expected; is this HDF5 1.10 or later?")
        }
        count = Int(end)
    }
}
