public import Foundation

/// A fresh folder that is removed when the value goes away; tests write nowhere else.
public final class TemporaryDirectory: Sendable {
    /// The folder.
    public let url: URL

    /// Makes the folder.
    public init() throws {
        url = FileManager.default.temporaryDirectory.appendingPathComponent("winnow-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(at: url) }

    /// The URL of a file inside the folder; it need not exist.
    public func file(_ name: String) -> URL { url.appendingPathComponent(name) }
}
