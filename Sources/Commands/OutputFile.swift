import Foundation

/// A file that the user names for a command to write.
///
/// A new or ordinary file appears whole or not at all, and keeps its rights if it was there. A link stays, and what it
/// leads to is written. A device, a FIFO or an open file such as `/dev/stdout` is written to. A folder is refused.
struct OutputFile {
    private enum Destination {
        /// The path of an ordinary file that is there, or of one that is not there yet.
        case file(String, rights: mode_t?)
        /// Something that takes bytes and is no file.
        case stream(String)
        /// A descriptor of this process.
        case descriptor(Int32)
    }

    /// The path as the user gave it.
    let path: String
    private let destination: Destination

    /// Finds out what a path leads to; nothing is written yet.
    init(_ path: String) throws {
        self.path = path
        destination = try Self.destination(of: path)
    }

    /// Writes what `body` writes.
    func write(_ body: (FileHandle) throws -> Void) throws {
        switch destination {
        case .file(let target, let rights):
            try Self.publish(target, rights) { part in
                let file = open(part, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o666)
                guard file >= 0 else { throw failure(errno) }
                let handle = FileHandle(fileDescriptor: file, closeOnDealloc: true)
                try body(handle)
                try handle.close()
            }
        case .stream(let target): try stream(open(target, O_WRONLY | O_CLOEXEC), body)
        case .descriptor(let number): try stream(fcntl(number, F_DUPFD_CLOEXEC, 0), body)
        }
    }

    /// Writes bytes.
    func write(_ bytes: Data) throws { try write { try $0.put(bytes) } }

    /// Takes over a file that `body` makes at a path of its own, such as one that another program writes.
    func fill(_ body: (_ part: String) throws -> Void) throws {
        if case .file(let target, let rights) = destination { return try Self.publish(target, rights, body) }
        let part = FileManager.default.temporaryDirectory.appendingPathComponent("\(UUID().uuidString).part")
        defer { try? FileManager.default.removeItem(at: part) }
        try body(part.path)
        let source = try FileHandle(forReadingFrom: part)
        try write { target in
            while let piece = try source.read(upToCount: 1 << 20), !piece.isEmpty {
                try target.put(piece)
            }
        }
    }

    private func stream(_ descriptor: Int32, _ body: (FileHandle) throws -> Void) throws {
        guard descriptor >= 0 else { throw failure(errno) }
        let handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
        try body(handle)
        try handle.close()
    }

    /// Has a file made beside its place and gives it its name.
    private static func publish(_ target: String, _ rights: mode_t?, _ body: (_ part: String) throws -> Void) throws {
        let part = "\(target).\(UUID().uuidString).part"
        do {
            try body(part)
            if let rights, chmod(part, rights) != 0 { throw failure(target, errno) }
            guard rename(part, target) == 0 else { throw failure(target, errno) }
        } catch {
            unlink(part)
            throw error
        }
    }

    private static func destination(of path: String) throws -> Destination {
        var place = path
        for _ in 0..<40 {
            var information = stat()
            guard lstat(place, &information) == 0 else {
                guard errno == ENOENT else { throw failure(path, errno) }
                return .file(place, rights: nil)
            }
            switch information.st_mode & S_IFMT {
            case S_IFREG: return .file(place, rights: information.st_mode & 0o7777)
            case S_IFDIR: throw CommandFailure(ExitCodes.usage, "\(path) is a folder; name a file")
            case S_IFLNK:
                let folder = URL(fileURLWithPath: place).deletingLastPathComponent().resolvingSymlinksInPath().path
                // Such a link leads to something that is open, whatever its name says.
                if folder.hasPrefix("/proc/") { return openFile(place, in: folder) }
                let next = try FileManager.default.destinationOfSymbolicLink(atPath: place)
                place = next.hasPrefix("/") ? next : "\(folder)/\(next)"
            default: return .stream(place)
            }
        }
        throw failure(path, ELOOP)
    }

    /// The meaning of `/proc/…/fd/1`: for this process a descriptor, which is written from its present position.
    private static func openFile(_ place: String, in folder: String) -> Destination {
        let own = ["/proc/self/fd", "/proc/\(getpid())/fd"]
        guard own.contains(folder), let number = Int32(URL(fileURLWithPath: place).lastPathComponent) else {
            return .stream(place)
        }
        return .descriptor(number)
    }

    private func failure(_ number: Int32) -> CommandFailure { Self.failure(path, number) }

    private static func failure(_ path: String, _ number: Int32) -> CommandFailure {
        CommandFailure("\(path) cannot be written: \(String(cString: strerror(number))); check the path and its rights")
    }
}

extension FileHandle {
    /// Writes all bytes. Where a reader has gone away, as `head` does, nothing is said; the exit code tells.
    func put(_ bytes: Data) throws(CommandFailure) {
        do {
            try write(contentsOf: bytes)
        } catch {
            let cause = (error as NSError).userInfo[NSUnderlyingErrorKey] as? NSError ?? error as NSError
            guard cause.domain == NSPOSIXErrorDomain else {
                throw CommandFailure("writing failed: \(error.localizedDescription)")
            }
            guard cause.code != EPIPE else { throw CommandFailure("") }
            throw CommandFailure("writing failed: \(String(cString: strerror(Int32(cause.code))))")
        }
    }
}
