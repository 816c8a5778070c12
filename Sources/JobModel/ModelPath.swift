internal import Foundation

/// The path of a checkpoint's folder.
public enum ModelPath {
    /// Why `path` is none, and what to do; nil if there is a folder.
    ///
    /// Where the path may be the name of a repository of Hugging Face's, says how to get that.
    ///
    /// - Parameter base: The folder that the path was taken to start from, if it was relative and is not any more.
    public static func trouble(with path: String, from base: String? = nil) -> String? {
        if isFolder(path) { return nil }
        if isFile(path) { return "\(path) is a file; name the folder of the checkpoint that holds it" }
        let start = base.map { $0.hasSuffix("/") ? $0 : $0 + "/" }
        let given = start.flatMap { path.hasPrefix($0) ? String(path.dropFirst($0.count)) : nil } ?? path
        let parts = given.split(separator: "/")
        let isName = parts.allSatisfy { $0.allSatisfy { $0.isLetter || $0.isNumber || "-_.".contains($0) } }
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        // The name of a repository has two parts and begins nowhere on this machine.
        guard !given.hasPrefix("/"), parts.count == 2, isName, !isFolder(parent) else {
            return "there is no folder \(path)"
        }
        let name = parts.joined(separator: "/")
        return "there is no folder \(path); if you mean the repository \(name) of Hugging Face, get its files with "
            + "'hf download \(name) --local-dir models/\(parts.last ?? "")', and name that folder"
    }
}
