import Glibc

/// A file seen as memory: pages are read when they are touched, and shared with every other process that maps it.
///
/// The mapping lives as long as its `storage`, that is as long as any tensor in it. It is read-only: writing through
/// such a tensor is a fault. So is reading after somebody has shortened the file; replace checkpoints, never edit them.
struct MappedFile: Sendable {
    let path: String
    let storage: HostStorage

    /// Maps all of the file at `path`; throws `cannotOpen`, or `malformedFile` where it is empty.
    init(path: String) throws(TensorError) {
        self.path = path
        // Without O_NONBLOCK, opening a named pipe would wait for a writer.
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else {
            throw TensorError(.cannotOpen, "\(systemError()); check the path and its permissions", at: path)
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw TensorError(.cannotOpen, "\(systemError())", at: path) }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw TensorError(.cannotOpen, "not a regular file; give the path of a file on disk", at: path)
        }
        let size = Int(status.st_size)
        guard size > 0 else {
            throw TensorError(.malformedFile, "the file is empty; download or copy it again", at: path)
        }
        guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
            throw TensorError(
                .cannotOpen, "\(size) bytes cannot be mapped: \(systemError()); is there a limit on memory?", at: path)
        }
        storage = HostStorage(base: base, byteCount: size) { base, size in munmap(base, size) }
    }

    var byteCount: Int { storage.byteCount }
    var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: storage.base, count: byteCount) }

    /// Gives the memory of the pages that lie wholly in `range` back; they are read again if they are touched again.
    func discard(_ range: Range<Int>) {
        let page = sysconf(Int32(_SC_PAGESIZE))
        let start = (range.lowerBound + page - 1) / page * page, end = range.upperBound / page * page
        if start < end { madvise(storage.base + start, end - start, MADV_DONTNEED) }
    }
}

/// What the last failed system call complained about.
func systemError() -> String { String(cString: strerror(errno)) }
