private import Glibc

/// The folder that holds `proc` and `sys`: the machine's own root, or a test's imitation.
struct SystemFolder {
    /// The folder's path, without a slash at its end.
    private let prefix: String

    init(_ root: String) {
        var prefix = root[...]
        while prefix.last == "/" { prefix = prefix.dropLast() }
        self.prefix = String(prefix)
    }

    /// Where a file lies; `path` does not start with a slash.
    func location(_ path: String) -> String { "\(prefix)/\(path)" }

    /// The system's reason why a file cannot be read.
    struct Unreadable: Error {
        let reason: String

        init(_ number: Int32) { reason = String(cString: strerror(number)) }
    }

    /// The text of a file.
    ///
    /// The kernel reports a length of zero for its files, so they are read until they end.
    func text(_ path: String) throws(Unreadable) -> String {
        let descriptor = open(location(path), O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw Unreadable(errno) }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16_384)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count == 0 { return String(decoding: bytes, as: UTF8.self) }
            if count > 0 {
                bytes += piece[..<count]
            } else if errno != EINTR {
                throw Unreadable(errno)
            }
        }
    }

    /// The lines of a file; none if it cannot be read.
    func lines(_ path: String) -> [Substring] { (try? text(path))?.split(whereSeparator: \.isNewline) ?? [] }

    /// The words of a file, which blanks and line ends separate; none if it cannot be read.
    func words(_ path: String) -> [Substring] { (try? text(path))?.split(whereSeparator: \.isWhitespace) ?? [] }

    /// The count that a file holds and nothing else, or nil: `max`, negative, too large for `Int`, malformed, missing.
    func count(_ path: String) -> Int? {
        let words = words(path)
        guard words.count == 1, let count = Int(words[0]), count >= 0 else { return nil }
        return count
    }

    /// The count that stands behind a name in a file of such lines (`inactive_file 8192`), or nil as in `count`.
    func count(_ path: String, named name: String) -> Int? {
        for line in lines(path) {
            let words = line.split(separator: " ")
            if words.count == 2, words[0] == name { return Int(words[1]).flatMap { $0 >= 0 ? $0 : nil } }
        }
        return nil
    }
}
