import Foundation

/// A temporary folder with the files of `proc` and `sys` that a test wants; it is removed when the value goes away.
final class FakeSystem: Sendable {
    private let folder: URL

    /// Writes the files; their paths do not start with a slash.
    init(_ files: [String: String]) throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent("winnow-\(UUID().uuidString)")
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
            for (path, text) in files {
                let file = folder.appendingPathComponent(path)
                try FileManager.default.createDirectory(
                    at: file.deletingLastPathComponent(), withIntermediateDirectories: true)
                try Data(text.utf8).write(to: file)
            }
        } catch {
            try? FileManager.default.removeItem(at: folder)
            throw error
        }
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// The folder's path, which is only valid while the value lives.
    var root: String { folder.path }
}
