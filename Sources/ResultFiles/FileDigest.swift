private import Crypto
private import Glibc
internal import HDF5

/// The SHA-256 of a file, 32 bytes.
public enum FileDigest {
    /// Reads the file to its end.
    public static func sha256(of path: String) throws(ResultFileError) -> [UInt8] {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else {
            throw ResultFileError(errno == ENOENT ? .notFound : .refused, "cannot open \(path); check the path")
        }
        defer { close(file) }
        var hash = SHA256()
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1 << 20, alignment: 4096)
        defer { buffer.deallocate() }
        while true {
            let count = read(file, buffer.baseAddress, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw ResultFileError(.corrupt, "cannot read \(path) to its end; check the disk") }
            guard count > 0 else { return Array(hash.finalize()) }
            hash.update(bufferPointer: UnsafeRawBufferPointer(rebasing: buffer[..<count]))
        }
    }

    static func sha256(of image: FileImage) -> [UInt8] {
        var hash = SHA256()
        image.withUnsafeBytes { hash.update(bufferPointer: $0) }
        return Array(hash.finalize())
    }
}
