private import CHDF5
private import Glibc

/// Calls the library and turns a negative result into an error with the library's own reasons.
///
/// The stack is read before anything else can call HDF5, since the next successful call clears it; handles that `call`
/// uses live until then.
/// - Parameters:
///   - operation: What is being done, as in "cannot `open` x.h5".
///   - name: The file and object it is done to.
///   - fallback: The kind of failure where the library's reasons don't tell: reading suggests a damaged file.
@discardableResult
func check<Status: SignedInteger>(
    _ operation: StaticString, _ name: String, otherwise fallback: HDF5Error.Code = .other, _ call: () -> Status
) throws(HDF5Error) -> Status {
    precondition(HDF5Library.isHeld, "HDF5 was called outside of HDF5Library.run")
    let status = call()
    guard status < 0 else { return status }
    throw HDF5Error(operation: operation, name: name, fallback: fallback, frames: Frame.stack())
}

/// One entry of the library's error stack.
private struct Frame {
    let meaning: ch5_meaning
    let text: String

    /// The current thread's stack, innermost first.
    static func stack() -> [Frame] {
        var frames: [Frame] = []
        withUnsafeMutablePointer(to: &frames) { frames in
            _ = H5Ewalk2(
                0, H5E_WALK_UPWARD,
                { _, entry, context in
                    guard let entry, let context else { return 0 }
                    let function = entry.pointee.func_name.map { String(cString: $0) } ?? "?"
                    let text = entry.pointee.desc.map { String(cString: $0) } ?? "?"
                    context.assumingMemoryBound(to: [Frame].self).pointee.append(
                        Frame(meaning: ch5_meaning_of(entry.pointee.min_num), text: "\(function): \(text)"))
                    return 0
                }, frames)
        }
        H5Eclear2(0)
        return frames
    }

    /// The system's error number, which the file driver puts into its text.
    var systemError: Int32? {
        guard let range = text.firstRange(of: "errno = ") else { return nil }
        return Int32(text[range.upperBound...].prefix { $0.isNumber })
    }

    /// What a failed system call means. While reading, every one that is not about the contents leaves them in doubt.
    func systemCode(isReading: Bool) -> HDF5Error.Code? {
        switch systemError {
        case ENOENT: .notFound
        case EEXIST: .alreadyExists
        case EAGAIN: .locked
        case ENOSPC, EFBIG, EDQUOT: .noSpace
        // A damaged file makes the library ask for places that no file has.
        case nil, 0, EINVAL, EOVERFLOW: nil
        default: isReading ? .unavailable : nil
        }
    }

    /// While writing, "not found" and types are about parts of the library, not about anything the caller named.
    func libraryCode(isReading: Bool) -> HDF5Error.Code? {
        switch meaning {
        case CH5_NOT_FOUND: isReading ? .notFound : nil
        case CH5_LOCKED: .locked
        case CH5_EXISTS: .alreadyExists
        case CH5_CORRUPT: isReading ? .corrupt : nil
        case CH5_FILTER_MISSING: .filterMissing
        case CH5_TYPE: isReading ? .typeMismatch : nil
        default: nil
        }
    }
}

extension HDF5Error {
    fileprivate init(operation: StaticString, name: String, fallback: Code, frames: [Frame]) {
        let isReading = fallback == .corrupt
        let code =
            frames.lazy.compactMap { $0.systemCode(isReading: isReading) ?? $0.libraryCode(isReading: isReading) }.first
            ?? fallback
        self.init(
            code: code, message: "cannot \(operation) \(name): \(Self.advice(code))", stack: frames.map(\.text))
    }

    private static func advice(_ code: Code) -> String {
        switch code {
        case .notFound: "it does not exist; check the path"
        case .locked: "another process has the file open for writing; wait for it to finish"
        case .unavailable: "the system does not let it be read; check the disk, its mount and the rights of this user"
        case .alreadyExists: "it exists already; remove it or choose another name"
        case .corrupt: "the file is damaged, cut off or not HDF5; make it again from its source"
        case .noSpace: "no space left or a file size limit reached; free space and try again"
        case .filterMissing: "it is packed with a filter that is not available; repack it with h5repack -f GZIP=1"
        case .typeMismatch: "it has another type than expected; look at it with h5dump -H"
        case .refused: "it is refused"
        case .other: "the library failed; the reason it gives follows"
        }
    }
}
