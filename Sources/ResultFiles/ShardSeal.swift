private import Crypto
private import Dispatch
internal import Failpoints
private import Glibc
internal import HDF5

/// Forty bytes behind the end of the HDF5 data of a shard: a mark, and the SHA-256 of everything before them.
///
/// HDF5 ignores what follows its data. Text, attributes and the index of the chunks carry no checksum of their own in
/// the formats we write, and the library reads beyond its memory where they are damaged: so the seal is checked before
/// the library sees the file. A tool that edits or repacks a shard drops the seal.
struct ShardSeal {
    /// The forty bytes.
    let bytes: [UInt8]
    /// The SHA-256 of the whole file, seal included.
    let sha256: [UInt8]

    private static let mark = Array("WNWSEAL1".utf8)
    private static let length = mark.count + SHA256.byteCount

    /// The seal of a file that is to have these contents.
    init(of image: FileImage) {
        var hash = SHA256()
        image.withUnsafeBytes { hash.update(bufferPointer: $0) }
        bytes = Self.mark + Array(hash.finalize())
        hash.update(data: bytes)
        sha256 = Array(hash.finalize())
    }

    /// The seal of a file that exists and is about to get it.
    init(ofFile path: String) throws(ResultFileError) {
        let (file, length) = try Self.open(path)
        defer { close(file) }
        var hash = SHA256()
        try Self.update(&hash, from: file, bytes: length, path)
        bytes = Self.mark + Array(hash.finalize())
        hash.update(data: bytes)
        sha256 = Array(hash.finalize())
    }

    /// Throws if a file does not have the contents it was sealed with.
    ///
    /// - Returns: the SHA-256 of the whole file, or nil for a file without a seal.
    static func verify(_ path: String) throws(ResultFileError) -> [UInt8]? {
        let (file, size) = try open(path)
        defer { close(file) }
        let contents = size - length
        guard contents > 0 else { return nil }
        var seal = [UInt8](repeating: 0, count: length)
        let count = pread(file, &seal, length, off_t(contents))
        guard count >= 0 else { throw ResultFileError(cannotRead: path) }
        guard count == length, seal.starts(with: mark) else { return nil }
        var hash = SHA256()
        try update(&hash, from: file, bytes: contents, path)
        guard Array(hash.finalize()) == Array(seal[mark.count...]) else {
            throw ResultFileError(
                .corrupt, "the file is not what it was sealed with; run its jobs again or restore it from a copy",
                at: path)
        }
        hash.update(data: seal)
        return Array(hash.finalize())
    }

    /// The bytes of a file, seal included.
    static func size(of path: String) throws(ResultFileError) -> Int {
        let (file, bytes) = try open(path)
        close(file)
        return bytes
    }

    private static func open(_ path: String) throws(ResultFileError) -> (file: Int32, bytes: Int) {
        guard !Failpoint.fails("shard.open") else { throw ResultFileError(cannotRead: path) }
        let file = Glibc.open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard file >= 0 else { throw ResultFileError(cannotRead: path) }
        var information = stat()
        guard fstat(file, &information) == 0, information.st_mode & S_IFMT == S_IFREG else {
            close(file)
            throw ResultFileError(.refused, "this is not a regular file; give the path of a shard", at: path)
        }
        return (file, Int(information.st_size))
    }

    private static func update(
        _ hash: inout SHA256, from file: Int32, bytes: Int, _ path: String
    ) throws(ResultFileError) {
        var remaining = bytes
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        while remaining > 0 {
            guard !Failpoint.fails("shard.read") else { throw ResultFileError(cannotRead: path) }
            let count = read(file, buffer.baseAddress, min(buffer.count, remaining))
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ResultFileError(cannotRead: path) }
            guard count > 0 else {
                throw ResultFileError(.unavailable, "the file became shorter while it was read; try again", at: path)
            }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            remaining -= count
        }
    }
}

/// A seal that another thread makes while this one writes: both take about as long.
final class SealInProgress: @unchecked Sendable {
    // Written by the other thread before the group is empty, and read after that: hence Sendable.
    private var seal: ShardSeal?
    private let group = DispatchGroup()

    /// Begins to hash the contents.
    init(of image: FileImage) {
        DispatchQueue.global(qos: .userInitiated).async(group: group) { self.seal = ShardSeal(of: image) }
    }

    /// Waits for the seal.
    func finish() -> ShardSeal {
        group.wait()
        guard let seal else { preconditionFailure("the seal was made") }
        return seal
    }
}
