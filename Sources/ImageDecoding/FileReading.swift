private import Glibc

/// The bytes of a regular file of at most `limit` bytes, or its first `most` bytes where it is longer, and its size.
///
/// Folders, pipes and devices are refused, because reading them may never end.
func readFile(
    _ path: String, limit: Int, most: Int = .max
) throws(ImageError) -> (bytes: [UInt8], size: Int) {
    func unreadable(_ number: Int32) -> ImageError {
        let why = String(cString: strerror(number))
        return ImageError(.unreadable, "the picture cannot be read (\(why)); check the path and its permissions")
    }
    let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
    guard descriptor >= 0 else { throw unreadable(errno) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw unreadable(errno) }
    guard status.st_mode & S_IFMT == S_IFREG else {
        throw ImageError(.notAPicture, "is not a regular file; name a picture file")
    }
    let size = Int(status.st_size)
    guard size <= limit else {
        throw ImageError(
            .tooLarge, "the file holds \(size) bytes, more than the \(limit) that are read; check that it is a picture")
    }
    var failure: Int32 = 0
    let wanted = min(size, most)
    let bytes = [UInt8](unsafeUninitializedCapacity: wanted) { buffer, count in
        while count < wanted, let start = buffer.baseAddress {
            let got = read(descriptor, start + count, wanted - count)
            if got < 0, errno == EINTR { continue }
            if got < 0 { failure = errno }
            if got <= 0 { break }
            count += got
        }
    }
    guard failure == 0 else { throw unreadable(failure) }
    return (bytes, size)
}
