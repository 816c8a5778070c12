/// Where the picture of an item is: always inside the batch's image folder.
public enum ImagePath {
    /// The absolute path of `image` under `root`, or nil where it leaves the folder by `..` or as an absolute path.
    ///
    /// The rule is about names only; `ConfinedImage` follows links when the picture is opened.
    public static func resolve(_ image: String, under root: String) -> String? {
        guard !image.hasPrefix("/"), !image.utf8.contains(0) else { return nil }
        var parts: [Substring] = []
        for part in image.split(separator: "/") where part != "." {
            if part != ".." {
                parts.append(part)
            } else if parts.popLast() == nil {
                return nil
            }
        }
        guard !parts.isEmpty else { return nil }
        return (root.hasSuffix("/") ? root : root + "/") + parts.joined(separator: "/")
    }

    /// Whether a manifest names a place on the network, or a file by a scheme, rather than a path.
    static func isURL(_ image: String) -> Bool {
        guard let end = image.firstIndex(of: ":"), let first = image.first else { return false }
        let rest = image[end...]
        return (rest.hasPrefix("://") || image.lowercased().hasPrefix("data:")) && first.isASCII && first.isLetter
            && image[..<end].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
    }
}
