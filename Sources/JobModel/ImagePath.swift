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

    /// Whether a manifest names a place on the network, or a file by a scheme, rather than a path.
    static func isURL(_ image: String) -> Bool {
        guard let end = image.firstIndex(of: ":"), let first = image.first else { return false }
        let rest = image[end...]
        return (rest.hasPrefix("://") || image.lowercased().hasPrefix("data:")) && first.isASCII && first.isLetter
            && image[..<end].allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || "+-.".contains($0)) }
    }
}

/// Names the pictures of items that absolute paths name, from the image folder on.
struct PicturesByFolder {
    private let root: String
    /// The root with a slash, and the same where links lead.
    private let start: String
    private lazy var real = URL(fileURLWithPath: root).resolvingSymlinksInPath().path + "/"
    /// The last folder of a picture that was looked at, and where it lies.
    private var last = (folder: "", place: "")

    init(root: String) {
        self.root = root
        start = root.hasSuffix("/") ? root : root + "/"
    }

    /// An item as JSON in which pictures that absolute paths below the root name are named from there; the text as it stands where
    /// there is none.
    mutating func naming(picturesOf item: String) -> String {
        // Most items have no path that begins with a slash, which JSON may escape.
        guard item.contains("\"/") || item.contains("\"\\/"),
            var fields = (try? JSONSerialization.jsonObject(with: Data(item.utf8))) as? [String: Any]
        else { return item }
        var hasChanged = false
        for key in ["image", "images"] {
            if let path = fields[key] as? String, let name = name(of: path) {
                fields[key] = name
                hasChanged = true
            } else if let list = fields[key] as? [Any] {
                let names = list.map { ($0 as? String).flatMap { name(of: $0) } }
                guard names.contains(where: { $0 != nil }) else { continue }
                fields[key] = zip(list, names).map { $1 ?? $0 }
                hasChanged = true
            }
        }
        let options: JSONSerialization.WritingOptions = [.sortedKeys, .withoutEscapingSlashes]
        guard hasChanged, let data = try? JSONSerialization.data(withJSONObject: fields, options: options) else {
            return item
        }
        return String(decoding: data, as: UTF8.self)
    }

    /// A path from the root on; nil if it does not lead there.
    private mutating func name(of path: String) -> String? {
        guard path.hasPrefix("/") else { return nil }
        if path.hasPrefix(start) { return String(path.dropFirst(start.count)) }
        // The root, or a folder on the way to the picture, may be reached by a link.
        let picture = URL(fileURLWithPath: path), folder = picture.deletingLastPathComponent()
        if last.folder != folder.path { last = (folder.path, folder.resolvingSymlinksInPath().path + "/") }
        let place = last.place + picture.lastPathComponent
        return place.hasPrefix(real) ? String(place.dropFirst(real.count)) : nil
    }
}
