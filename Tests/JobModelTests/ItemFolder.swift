import Foundation
import JobModel
import TestSupport

/// A folder of files that items are read from.
struct ItemFolder {
    let directory: TemporaryDirectory
    var path: String { directory.url.standardizedFileURL.path }

    init() throws { directory = try TemporaryDirectory() }

    /// Writes a file, and the folders on the way to it.
    func write(_ text: String, to name: String) throws { try write(Data(text.utf8), to: name) }

    /// Writes a file, and the folders on the way to it.
    func write(_ bytes: Data, to name: String) throws {
        let file = directory.file(name)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
        try bytes.write(to: file)
    }

    /// The lines of the items in `name`, or of the folder.
    func lines(_ name: String? = nil, prompt: String? = nil) throws -> [ItemLines.Line] {
        let place = name.map { "\(path)/\($0)" } ?? path
        var lines = try ItemLines(ItemSource(path: place, images: path, prompt: prompt))
        var found: [ItemLines.Line] = []
        while let line = try lines.next() { found.append(line) }
        return found
    }

    /// The items in `name`, or of the folder.
    func items(_ name: String? = nil, prompt: String? = nil) throws -> [Item] {
        try lines(name, prompt: prompt).map { line in try Item(json: line.text ?? line.problem ?? "") }
    }

    /// `line: words` of everything that is wrong with the items in `name` or of the folder, as a batch of them says it.
    func problems(_ name: String? = nil, prompt: String? = nil) throws -> [String] {
        var changes = BatchChanges()
        changes.model = path
        if let name { changes.items = "\(path)/\(name)" } else { changes.images = path }
        changes.prompt = prompt
        do {
            _ = try BatchFile.make(of: changes, in: directory.url)
            return []
        } catch {
            return error.problems.map { "\($0.line.map(String.init) ?? "-"): \($0.message)" }
        }
    }
}
