private import Glibc

/// A file that is written in one go under a name that was free.
enum ExclusiveFile {
    /// Writes a file to `path`; if it throws, no part of the file stays.
    static func write(_ image: FileImage, to path: String) throws(HDF5Error) {
        let file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
        guard file >= 0 else { throw failure("create", path) }
        var offset = 0
        var isWritten = true
        while isWritten, offset < image.count {
            let count = image.withUnsafeBytes { bytes in
                Glibc.write(file, bytes.baseAddress.map { $0 + offset }, bytes.count - offset)
            }
            if count < 0, errno == EINTR { continue }
            isWritten = count > 0
            offset += max(0, count)
        }
        let problem = isWritten ? nil : failure("write", path)
        let isClosed = close(file) == 0
        if let problem = problem ?? (isClosed ? nil : failure("close", path)) {
            unlink(path)
            throw problem
        }
    }

    private static func failure(_ operation: String, _ path: String) -> HDF5Error {
        let number = errno
        let (code, advice): (HDF5Error.Code, String) =
            switch number {
            case ENOENT, ENOTDIR: (.notFound, "check that its folder exists")
            case EEXIST: (.alreadyExists, "remove it or choose another name")
            case ENOSPC, EDQUOT, EFBIG: (.noSpace, "free space and try again")
            default: (.other, "check the rights of this user and the disk")
            }
        return HDF5Error(
            code: code, message: "cannot \(operation) \(path): \(String(cString: strerror(number))); \(advice)")
    }
}
