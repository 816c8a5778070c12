internal import Foundation

/// Where the picture of an item is: always inside the batch's image folder.
public enum ImagePath {
    /// The absolute path of `image` under `root`, or nil if it leaves the folder by `..` or as an absolute path.
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

    /// An item as JSON in which pictures that absolute paths below `root` name are named from there; the text as it stands where
    /// there is none.
    static func naming(picturesOf item: String, from root: String) -> String {
        // Most items have no path that begins with a slash, which JSON may escape.
        guard item.contains("\"/") || item.contains("\"\\/"),
            var fields = (try? JSONSerialization.jsonObject(with: Data(item.utf8))) as? [String: Any]
        else { return item }
        let start = root.hasSuffix("/") ? root : root + "/"
        func inside(_ value: Any) -> Any? {
            guard let path = value as? String, path.hasPrefix("/") else { return nil }
            if path.hasPrefix(start) { return String(path.dropFirst(start.count)) }
            // The folder, or one above the picture, may be reached by a link.
            let real = URL(fileURLWithPath: root).resolvingSymlinksInPath().path + "/"
            let picture = URL(fileURLWithPath: path),
                folder = picture.deletingLastPathComponent().resolvingSymlinksInPath()
            let place = folder.appendingPathComponent(picture.lastPathComponent).path
            return place.hasPrefix(real) ? String(place.dropFirst(real.count)) : nil
        }
        var hasChanged = false
        for key in ["image", "images"] {
            if let path = fields[key].flatMap(inside) {
                fields[key] = path
                hasChanged = true
            } else if let list = fields[key] as? [Any], list.contains(where: { inside($0) != nil }) {
                fields[key] = list.map { inside($0) ?? $0 }
                hasChanged = true
            }
        }
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
        guard hasChanged, let data = try? JSONSerialization.data(withJSONObject: fields, options: options) else {
            return item
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// Whether a manifest names a place on the network, or a file by a scheme, rather than a path.
    static func isURL(_ image: String) -> Bool {
        guard let end = image.firstIndex(of: ":"), let first = image.first else { return false }
        let rest = image[end...]
        return (rest.hasPrefix("://") || image.lowercased().hasPrefix("data:")) && first.isASCII && first.isLetter
            && image[..<end].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
    }
}
