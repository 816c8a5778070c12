/// Where the picture of an item is: always inside the batch's image folder.
public enum ImagePath {
    /// The absolute path of `image` under `root`, or nil where it leaves the folder by `..` or as an absolute path.
    ///
    /// The rule is about names only: a link inside the folder is its owner's decision.
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
}
