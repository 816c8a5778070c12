internal import Foundation
internal import ResultFiles

/// How large the files are that a merge writes, remembered in a file so that a merge that was killed begins with smaller ones.
///
/// Nothing of a file is left that was not written to its end. If merges are killed again and again, each next one halves
/// the size, down to a thousandth, until files are finished between two kills; from there it doubles again.
struct MergeSize {
    private let file: URL
    private let most: Int
    private var size: Int

    /// - Parameter most: the size that is wanted in the end, in bytes.
    init(_ folder: ResultsFolder, most: Int) {
        file = URL(fileURLWithPath: folder.path).appendingPathComponent("tmp/merge.size")
        self.most = most
        let former = (try? String(contentsOf: file, encoding: .utf8)).flatMap { Int($0) }
        size = former.map { max(1, most / 1024, min($0, most) / 2) } ?? most
    }

    /// The size of the next pass; nil after the pass of the size that is wanted, when nothing is remembered any more.
    mutating func next() throws -> Int? {
        guard size <= most else {
            try FileManager.default.removeItem(at: file)
            return nil
        }
        try Data("\(size)".utf8).write(to: file, options: .atomic)
        defer { size = size == most ? most + 1 : min(most, size * 2) }
        return size
    }
}
