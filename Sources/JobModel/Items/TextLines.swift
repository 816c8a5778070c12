internal import Foundation
private import Glibc

/// The lines of a text file, read one after the other: memory stays small whatever the size of the file.
final class TextLines {
    /// A line without the line feed that ends it.
    struct Line {
        /// 1-based place in the file.
        let number: Int
        /// The bytes; empty if the line is longer than the limit.
        let bytes: Data
        /// Whether the line is longer than the limit.
        let isTooLong: Bool

        /// The text; nil if the line is too long or not UTF-8.
        var text: String? { isTooLong ? nil : String(validating: bytes, as: UTF8.self) }
        /// Whether there is nothing but white space.
        var isBlank: Bool { !isTooLong && bytes.allSatisfy { $0 == 0x20 || $0 == 0x09 || $0 == 0x0D } }
    }

    /// The file.
    let file: String
    private let handle: FileHandle
    private let limit: Int
    private var buffer = Data()
    private var position = 0
    private var ended = false
    private var number = 0

    /// Opens an items file, which is a regular file: a pipe can be read only once, and a device may have no end.
    ///
    /// - Parameter limit: The most bytes of a line that is handed on.
    init(path: String, limit: Int = Item.maximumBytes) throws(ManifestProblems) {
        guard isFile(path) || !FileManager.default.fileExists(atPath: path) || isFolder(path) else {
            throw ManifestProblems(
                path, nil, "the items file is a pipe or a device; write the items into a regular file")
        }
        guard let handle = FileHandle(forReadingAtPath: path), !isFolder(path) else {
            throw ManifestProblems(
                path, nil,
                FileManager.default.fileExists(atPath: path)
                    ? "the items file cannot be read; check its permissions"
                    : "there is no such file or folder to read items from")
        }
        self.handle = handle
        self.limit = limit
        file = path
    }

    deinit { try? handle.close() }

    /// The next line, or nil at the end of the file.
    func next() throws(ManifestProblems) -> Line? {
        guard let (bytes, complete) = try nextBytes() else { return nil }
        number += 1
        // Some editors begin a file with a byte order mark.
        let hasMark = number == 1 && bytes.starts(with: [0xEF, 0xBB, 0xBF])
        return Line(number: number, bytes: hasMark ? bytes.dropFirst(3) : bytes, isTooLong: !complete)
    }

    /// The next line that is not blank, or nil at the end of the file.
    func nextInked() throws(ManifestProblems) -> Line? {
        while let line = try next() { if !line.isBlank { return line } }
        return nil
    }

    /// The bytes up to the next line feed; not complete, and then empty, if the line is too long.
    private func nextBytes() throws(ManifestProblems) -> (bytes: Data, complete: Bool)? {
        var tooLong = false
        while true {
            if let end = buffer[(buffer.startIndex + position)...].firstIndex(of: 0x0A) {
                let line = buffer[(buffer.startIndex + position)..<end]
                position = end - buffer.startIndex + 1
                return tooLong || line.count > limit ? (Data(), false) : (line, true)
            }
            if ended {
                let line = buffer[(buffer.startIndex + position)...]
                guard tooLong || !line.isEmpty else { return nil }
                position = buffer.count
                return tooLong || line.count > limit ? (Data(), false) : (line, true)
            }
            if buffer.count - position > limit {
                tooLong = true
                position = buffer.count
            }
            try refill()
        }
    }

    private func refill() throws(ManifestProblems) {
        do {
            let more = try handle.read(upToCount: 1 << 16) ?? Data()
            ended = more.isEmpty
            buffer = Data(buffer[(buffer.startIndex + position)...]) + more
            position = 0
        } catch {
            throw ManifestProblems(file, number, "reading failed after this line: \(error)")
        }
    }
}

/// Whether a path is an existing folder.
package func isFolder(_ path: String) -> Bool {
    var folder: ObjCBool = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &folder) && folder.boolValue
}

/// Whether a path is an existing regular file, or a link to one: no folder, pipe or device.
package func isFile(_ path: String) -> Bool {
    var information = stat()
    return stat(path, &information) == 0 && information.st_mode & S_IFMT == S_IFREG
}
