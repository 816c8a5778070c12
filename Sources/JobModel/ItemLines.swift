internal import Foundation
private import Glibc

/// The lines of an items file, read one after the other: memory stays small whatever the size of the file.
public struct ItemLines: ~Copyable {
    /// A line that is not blank.
    public struct Line: Sendable {
        /// 1-based place in the file.
        public var number: Int
        /// The text; nil where the line is longer than an item may be, or not UTF-8.
        public var text: String?
    }

    private let handle: FileHandle
    private let file: String
    private var buffer = Data()
    private var position = 0
    private var ended = false
    private var number = 0

    /// Opens an items file, which is a regular file: a pipe can be read only once, and a device may have no end.
    public init(path: String) throws(ManifestProblems) {
        guard isFile(path) || !FileManager.default.fileExists(atPath: path) || isFolder(path) else {
            var problems = ManifestProblems()
            problems.add(path, nil, "the items file is a pipe or a device; write the items into a regular file")
            throw problems
        }
        guard let handle = FileHandle(forReadingAtPath: path), !isFolder(path) else {
            var problems = ManifestProblems()
            problems.add(path, nil, "the items file cannot be read; check 'items' and the file's permissions")
            throw problems
        }
        self.handle = handle
        file = path
    }

    deinit { try? handle.close() }

    /// The next line that is not blank, or nil at the end of the file.
    public mutating func next() throws(ManifestProblems) -> Line? {
        while let (bytes, complete) = try nextBytes() {
            number += 1
            guard complete else { return Line(number: number, text: nil) }
            // Some editors begin a file with a byte order mark.
            let bytes = number == 1 && bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? bytes.dropFirst(3) : bytes
            guard bytes.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0D }) else { continue }
            return Line(number: number, text: String(validating: bytes, as: UTF8.self))
        }
        return nil
    }

    /// The bytes up to the next line feed; not complete where the line is too long, and then empty.
    private mutating func nextBytes() throws(ManifestProblems) -> (bytes: Data, complete: Bool)? {
        var tooLong = false
        while true {
            if let end = buffer[(buffer.startIndex + position)...].firstIndex(of: 0x0A) {
                let line = buffer[(buffer.startIndex + position)..<end]
                position = end - buffer.startIndex + 1
                return tooLong || line.count > Item.maximumBytes ? (Data(), false) : (line, true)
            }
            if ended {
                let line = buffer[(buffer.startIndex + position)...]
                guard tooLong || !line.isEmpty else { return nil }
                position = buffer.count
                return tooLong || line.count > Item.maximumBytes ? (Data(), false) : (line, true)
            }
            if buffer.count - position > Item.maximumBytes {
                tooLong = true
                position = buffer.count
            }
            try refill()
        }
    }

    private mutating func refill() throws(ManifestProblems) {
        do {
            let more = try handle.read(upToCount: 1 << 16) ?? Data()
            ended = more.isEmpty
            buffer = Data(buffer[(buffer.startIndex + position)...]) + more
            position = 0
        } catch {
            var problems = ManifestProblems()
            problems.add(file, number, "reading failed after this line: \(error)")
            throw problems
        }
    }
}

/// Whether a path is an existing folder.
func isFolder(_ path: String) -> Bool {
    var folder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &folder) && folder.boolValue
}

/// Whether a path is an existing regular file, or a link to one: no folder, pipe or device.
package func isFile(_ path: String) -> Bool {
    var information = stat()
    return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
}
