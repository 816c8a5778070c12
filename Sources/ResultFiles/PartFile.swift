private import Crypto
private import Glibc

/// A shard that is complete but not visible yet: it is made durable, hashed, then linked under its final name.
struct PartFile {
    let path: String

    /// Bytes and their SHA-256, read back after they have reached the disk.
    func sync() throws(ResultFileError) -> (bytes: Int, sha256: [UInt8]) {
        let file = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
        guard file >= 0 else { throw ResultFileError(system: "open", path) }
        defer { close(file) }
        guard fsync(file) == 0 else { throw ResultFileError(system: "sync", path) }
        return try FileDigest.read(file, path)
    }

    /// Links the file into `folder` (made if absent) as `name`, never over another, and removes the part.
    ///
    /// The name is durable when this returns; where it throws, there is no such name.
    func publish(in folder: String, as name: String) throws(ResultFileError) {
        let parent = String(folder[..<(folder.lastIndex(of: "/") ?? folder.endIndex)])
        if mkdir(folder, 0o777) == 0 {
            try Self.syncDirectory(parent)
        } else if errno != EEXIST {
            throw ResultFileError(system: "make the folder", folder)
        }
        let target = "\(folder)/\(name)"
        guard link(path, target) == 0 else { throw ResultFileError(system: "publish the shard as", target) }
        do throws(ResultFileError) {
            guard unlink(path) == 0 else { throw ResultFileError(system: "remove", path) }
            try Self.syncDirectory(folder)
        } catch {
            unlink(target)
            throw error
        }
    }

    /// Removes the file, if it is there.
    func discard() { unlink(path) }

    private static func syncDirectory(_ path: String) throws(ResultFileError) {
        let directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard directory >= 0 else { throw ResultFileError(system: "open", path) }
        defer { close(directory) }
        guard fsync(directory) == 0 else { throw ResultFileError(system: "sync", path) }
    }
}

/// The SHA-256 of a file.
public enum FileDigest {
    /// Reads a file to its end; the digest has 32 bytes.
    public static func sha256(of path: String) throws(ResultFileError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw ResultFileError(errno == ENOENT ? .notFound : .refused, "cannot open \(path); check the path")
        }
        defer { close(file) }
        return try read(file, path).sha256
    }

    fileprivate static func read(_ file: Int32, _ path: String) throws(ResultFileError) -> (bytes: Int, sha256: [UInt8]) {
        var hash = SHA256()
        var total = 0
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let count = Glibc.read(file, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ResultFileError(system: "read", path) }
            guard count > 0 else { return (total, Array(hash.finalize())) }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            total += count
        }
    }
}
