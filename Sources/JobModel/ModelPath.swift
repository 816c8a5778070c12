internal import Foundation

/// The path of a checkpoint's folder.
public enum ModelPath {
    /// Why `path` is none, and what to do; nil if there is a folder.
    ///
    /// Where its last two parts may be the name of a repository of Hugging Face's, says how to get that.
    public static func trouble(with path: String) -> String? {
        if isFolder(path) { return nil }
        if isFile(path) { return "\(path) is a file; name the folder of the checkpoint that holds it" }
        let parts = path.split(separator: "/").suffix(2)
        let isName = parts.allSatisfy { $0.allSatisfy { $0.isLetter || $0.isNumber || "-_.".contains($0) } }
        let parent = URL(fileURLWithPath: path).deletingLastPathComponent().path
        // What begins at the root of the machine is no name of a repository.
        guard path.split(separator: "/").count > 2, isName, !isFolder(parent) else {
            return "there is no folder \(path)"
        }
        let name = parts.joined(separator: "/")
        return "there is no folder \(path); if you mean the repository \(name) of Hugging Face, get its files with "
            + "'hf download \(name) --local-dir models/\(parts.last ?? "")', and name that folder"
    }
}
