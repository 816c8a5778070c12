internal import Failpoints
private import Glibc
internal import HDF5

/// How far a shard has come on its way to the disk, in this order; for tests that end the process there.
public enum SealingStep: Sendable, Hashable, CaseIterable {
    /// The temporary file is there, empty.
    case created
    /// A piece of its contents is written; more than once.
    case wroteSome
    /// The contents are complete.
    case sealed
    /// The file is on the disk.
    case synced
    /// The file has its final name beside the temporary one.
    case linked
    /// The file has only its final name.
    case unlinked
    /// The name is on the disk, too.
    case durable
}

/// A shard that is complete and durable but not visible yet: it is then linked under its final name.
struct PartFile {
    /// SHA-256 of the file.
    let sha256: [UInt8]
    /// Size of the file.
    let bytes: Int
    private let path: String

    /// Bytes of one call that writes.
    private static let pieceBytes = 4 << 20

    /// Writes a new file and waits until it is on the disk; where it throws, there is no such file.
    ///
    /// Hashing, writing and the disk's work go on side by side.
    init(
        writing image: FileImage, to path: String, reached: (SealingStep) -> Void
    ) throws(ResultFileError) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw ResultFileError(system: "create", path) }
        reached(.created)
        let hashing = SealInProgress(of: image)
        let seal: ShardSeal
        do throws(ResultFileError) {
            try image.withUnsafeBytes { bytes throws(ResultFileError) in
                // Two pieces at least: what is half written must never be taken for a shard.
                let size = min(Self.pieceBytes, max(1, bytes.count / 2))
                for start in stride(from: 0, to: bytes.count, by: size) {
                    let end = min(start + size, bytes.count)
                    try Self.write(UnsafeRawBufferPointer(rebasing: bytes[start..<end]), file, path)
                    Self.beginStoring(start..<end, of: file)
                    reached(.wroteSome)
                }
            }
            Failpoint.reach("shard.written")
            seal = hashing.finish()
            try seal.bytes.withUnsafeBufferPointer { bytes throws(ResultFileError) in
                try Self.write(UnsafeRawBufferPointer(bytes), file, path)
            }
            reached(.sealed)
            guard !Failpoint.fails("shard.sync"), fsync(file) == 0 else { throw ResultFileError(system: "sync", path) }
            reached(.synced)
        } catch {
            close(file)
            unlink(path)
            throw error
        }
        guard close(file) == 0 else {
            let error = ResultFileError(system: "close", path)
            unlink(path)
            throw error
        }
        Failpoint.reach("shard.closed")
        self.path = path
        sha256 = seal.sha256
        bytes = image.count + seal.bytes.count
    }

    /// Makes a small file and removes it; throws if that cannot be done.
    static func tryWriting(to path: String) throws(ResultFileError) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw ResultFileError(system: "create", path) }
        defer {
            close(file)
            unlink(path)
        }
        let page = [UInt8](repeating: 0, count: 4_096)
        try page.withUnsafeBufferPointer { page throws(ResultFileError) in
            try write(UnsafeRawBufferPointer(page), file, path)
        }
    }

    /// Seals a file that was written at `path`, and waits until it is on the disk.
    init(sealing path: String) throws(ResultFileError) {
        let seal = try ShardSeal(ofFile: path)
        let file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC)
        guard file >= 0 else { throw ResultFileError(system: "open", path) }
        defer { close(file) }
        try seal.bytes.withUnsafeBufferPointer { bytes throws(ResultFileError) in
            try Self.write(UnsafeRawBufferPointer(bytes), file, path)
        }
        guard fsync(file) == 0 else { throw ResultFileError(system: "sync", path) }
        var information = stat()
        guard fstat(file, &information) == 0 else { throw ResultFileError(system: "measure", path) }
        self.path = path
        sha256 = seal.sha256
        bytes = Int(information.st_size)
    }

    /// `sync_file_range`, which Swift does not import.
    private static let syncFileRange: (@convention(c) (Int32, Int64, Int64, UInt32) -> Int32)? =
        dlsym(nil, "sync_file_range").map {
            unsafeBitCast($0, to: (@convention(c) (Int32, Int64, Int64, UInt32) -> Int32).self)
        }

    /// Lets the disk begin with a piece while the next one is written; only `fsync` says that it is done.
    private static func beginStoring(_ bytes: Range<Int>, of file: Int32) {
        let startsWriting: UInt32 = 2  // SYNC_FILE_RANGE_WRITE
        _ = syncFileRange?(file, Int64(bytes.lowerBound), Int64(bytes.count), startsWriting)
    }

    private static func write(
        _ bytes: UnsafeRawBufferPointer, _ file: Int32, _ path: String
    ) throws(ResultFileError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard !Failpoint.fails("shard.write") else { throw ResultFileError(system: "write", path) }
            let count = Glibc.write(file, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw ResultFileError(system: "write", path) }
            rest = rest.dropFirst(count)
        }
    }

    /// Links the file as `target`, never over another file, and removes the part; makes the folder of `target` if absent.
    ///
    /// The name is durable when this returns. If it throws, no file that this call made has that name.
    func publish(as target: String, reached: (SealingStep) -> Void = { _ in }) throws(ResultFileError) {
        let folder = Self.parent(of: target), parent = Self.parent(of: folder)
        if mkdir(folder, 0o777) == 0 {
            try Self.syncDirectory(parent)
        } else if errno != EEXIST {
            throw ResultFileError(system: "make the folder", folder)
        }
        guard !Failpoint.fails("shard.publish"), link(path, target) == 0 else {
            throw ResultFileError(system: "publish the shard", target)
        }
        reached(.linked)
        do throws(ResultFileError) {
            guard unlink(path) == 0 else { throw ResultFileError(system: "remove", path) }
            reached(.unlinked)
            try Self.syncDirectory(folder)
            reached(.durable)
        } catch {
            unlink(target)
            throw error
        }
        Failpoint.reach("shard.published")
    }

    /// Removes the file, if it is there.
    func discard() { unlink(path) }

    private static func parent(of path: String) -> String {
        String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
    }

    private static func syncDirectory(_ path: String) throws(ResultFileError) {
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw ResultFileError(system: "open", path) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw ResultFileError(system: "sync", path) }
    }
}
