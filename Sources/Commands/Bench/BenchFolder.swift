import Foundation

/// The folder that a bench works in.
struct BenchFolder {
    let url: URL
    private let isTemporary: Bool

    /// Makes the folder that was asked for, which must not exist, or a temporary one.
    init(_ wanted: String?) throws {
        url =
            wanted.map { URL(fileURLWithPath: $0) }
            ?? FileManager.default.temporaryDirectory.appendingPathComponent("winnow-bench-\(UUID().uuidString)")
        isTemporary = wanted == nil
        guard !FileManager.default.fileExists(atPath: url.path) else {
            throw CommandFailure(ExitCodes.usage, "\(url.path) exists; name a folder that does not")
        }
        try FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    }

    /// Removes a temporary folder.
    func end() { if isTemporary { try? FileManager.default.removeItem(at: url) } }
}
