internal import Foundation
private import Glibc

/// Files that hold secrets: made for their owner alone, and refused if others have access to them.
enum PrivateFile {
    /// Larger than any file of keys that somebody would write.
    private static let maximumBytes = 16 << 20

    /// The content of a file; what is checked is the very file that is read.
    ///
    /// - Parameter isSecret: whether nobody else may even read it; a list of public keys may be read, but not written.
    static func read(_ path: String, isSecret: Bool) throws(AccessKeyError) -> String {
        func unreadable() -> AccessKeyError {
            AccessKeyError(.unreadable, "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw unreadable() }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0 else { throw unreadable() }
        guard status.st_mode & S_IFMT == S_IFREG else {
            throw AccessKeyError(.unreadable, "\(path) is not a regular file")
        }
        let forbidden: mode_t = isSecret ? 0o077 : 0o022
        guard status.st_mode & forbidden == 0 else {
            throw AccessKeyError(
                .exposed,
                "\(path) can be \(isSecret ? "read" : "changed") by others (mode "
                    + "\(String(status.st_mode & 0o777, radix: 8))): run 'chmod \(isSecret ? "600" : "644") \(path)'"
                    + (isSecret ? "; if it was ever copied, revoke the key and make a new one" : ""))
        }
        guard status.st_uid == geteuid() || status.st_uid == 0 else {
            throw AccessKeyError(
                .exposed, "\(path) belongs to another user; change its owner, or make keys of your own")
        }
        guard status.st_size <= maximumBytes else {
            throw AccessKeyError(.malformed, "\(path) is too large to be a file of keys")
        }
        let file = FileHandle(fileDescriptor: descriptor, closeOnDealloc: false)
        do {
            return String(decoding: try file.readToEnd() ?? Data(), as: UTF8.self)
        } catch {
            throw AccessKeyError(.unreadable, "\(path) cannot be read: \(error)")
        }
    }

    /// Writes a file that must not exist yet: whole and synced, or not at all.
    static func create(_ path: String, _ text: String, mode: mode_t) throws(AccessKeyError) {
        let temporary = try write(text, besides: path, mode: mode)
        defer { unlink(temporary) }
        // A link, unlike a rename, never replaces what is there.
        guard link(temporary, path) == 0 else {
            if errno == EEXIST {
                throw AccessKeyError(.badName, "\(path) exists already; choose another name, or remove the file")
            }
            throw unwritable(path)
        }
        syncFolder(of: path)
    }

    /// Replaces a file, so that readers see the old or the new one, whole.
    static func replace(_ path: String, _ text: String, mode: mode_t) throws(AccessKeyError) {
        let temporary = try write(text, besides: path, mode: mode)
        guard rename(temporary, path) == 0 else {
            let error = unwritable(path)
            unlink(temporary)
            throw error
        }
        syncFolder(of: path)
    }

    private static func write(_ text: String, besides path: String, mode: mode_t) throws(AccessKeyError) -> String {
        let temporary = "\(path).\(UUID().uuidString)"
        let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw unwritable(path) }
        defer { close(descriptor) }
        let bytes = Array(text.utf8)
        var written = 0
        while written < bytes.count {
            let count = bytes[written...].withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { break }
            written += count
        }
        guard written == bytes.count, fchmod(descriptor, mode) == 0, fsync(descriptor) == 0 else {
            let error = unwritable(path)
            unlink(temporary)
            throw error
        }
        return temporary
    }

    private static func syncFolder(of path: String) {
        let folder = open((path as NSString).deletingLastPathComponent, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard folder >= 0 else { return }
        fsync(folder)
        close(folder)
    }

    private static func unwritable(_ path: String) -> AccessKeyError {
        AccessKeyError(.unwritable, "\(path) cannot be written: \(String(cString: strerror(errno)))")
    }
}
