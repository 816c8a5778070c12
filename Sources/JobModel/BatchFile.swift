public import Foundation
internal import Yams

/// A batch file (`Jobs/*.yaml`), checked: what it asks for, with every default filled in.
///
/// `Jobs/README.md` has a table of the keys with their meanings and defaults.
///
/// Relative paths start from the folder of the batch file.
public struct BatchFile: Sendable, Hashable {
    /// What the batch asks for.
    public var description: BatchDescription
    /// The items.
    public var itemCount: Int
    /// Items with a picture.
    public var picturedItemCount: Int
    /// The pictures of all items together, one that several name counted once for each.
    public var pictureCount: Int
    /// The most pictures that an item is about.
    public var mostPictures: Int
    /// The first line of the items file with so many; nil if the items are a folder.
    public var lineOfMostPictures: Int?
    /// Pictures whose items will fail, where somebody looked.
    public var unreadablePictures = UnreadablePictures()
    /// Pictures that are not on this machine, where paths are trusted.
    public var absentPictures = 0
    /// Files of a folder of items that make no items.
    public var leftOut = LeftOutFiles()

    /// Reads and checks a batch file and its items; throws everything that is wrong with them at once.
    ///
    /// - Parameters:
    ///   - url: The batch file.
    ///   - methods: The names of the known methods; nil leaves the name unchecked.
    ///   - changes: Values that take the place of the file's.
    ///   - trustsPaths: Whether folders and pictures that are not here are taken as they stand, for workers on machines that
    ///     have them.
    ///   - pictureTrouble: Why the file at a path cannot be read as a picture, nil if nothing speaks against it; called
    ///     once for each of the first pictures. It is no problem of the batch: that stands in `unreadablePictures`.
    public static func load(
        _ url: URL, methods: [String]? = nil, changing changes: BatchChanges = BatchChanges(),
        trustsPaths: Bool = false,
        pictureTrouble: ((String) -> String?)? = nil
    ) throws(ManifestProblems) -> BatchFile {
        var problems = ManifestProblems()
        let file = url.path
        let root: Node?
        do {
            let text = try String(contentsOf: url, encoding: .utf8)
            root = try Yams.compose(yaml: text)
        } catch {
            let (line, message) = isFolder(file) ? (nil, folderIsNoBatch) : place(error)
            problems.add(file, line, message)
            throw problems
        }
        guard let root else {
            problems.add(file, nil, "the batch file is empty; it needs at least 'model' and 'items'")
            throw problems
        }
        let reader = BatchFileReader(
            file: file, folder: url.absoluteURL.deletingLastPathComponent(),
            fallbackName: url.deletingPathExtension().lastPathComponent, changes: changes, methods: methods,
            trustsPaths: trustsPaths, pictureTrouble: pictureTrouble, problems: problems)
        return try reader.checked(root)
    }

    /// Makes and checks a batch without a file: of `changes`, which name at least a model and what the items are read from, and
    /// the defaults.
    ///
    /// - Parameter folder: Where default paths start, such as that of the results.
    public static func make(
        of changes: BatchChanges, in folder: URL, methods: [String]? = nil, trustsPaths: Bool = false,
        pictureTrouble: ((String) -> String?)? = nil
    ) throws(ManifestProblems) -> BatchFile {
        let reader = BatchFileReader(
            file: "the command line", folder: URL(fileURLWithPath: folder.path, isDirectory: true),
            fallbackName: BatchName.derived(from: changes.items ?? changes.images ?? ""), changes: changes,
            methods: methods, trustsPaths: trustsPaths, pictureTrouble: pictureTrouble,
            problems: ManifestProblems())
        return try reader.checked(nil)
    }

    private static let folderIsNoBatch =
        "this is a folder; name a batch file, or with --model the checkpoint, with --images this folder, and with --prompt what to ask"

    /// The line and the words of an error while reading YAML.
    private static func place(_ error: any Error) -> (line: Int?, message: String) {
        guard let error = error as? YamlError else {
            return (
                nil,
                (error as? CocoaError)?.code == .fileReadNoSuchFile
                    ? "there is no such file; 'winnow init' writes one"
                    : "the batch file cannot be read; check its permissions and that it is UTF-8 text"
            )
        }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            let hint = problem.hasPrefix("mapping values") ? "; a text with a colon needs quotation marks" : ""
            return (mark.line, "not valid YAML: \(problem)\(hint)")
        case .duplicatedKeysInMapping(let keys, let context):
            return (context.mark.line, "keys given twice: \(keys.sorted().joined(separator: ", "))")
        default: return (nil, "not valid YAML: \(error)")
        }
    }
}

extension BatchFile {
    /// A path as a batch file names it under a key such as `images`, whatever else the file says; nil if it does not.
    public static func path(_ key: String, in url: URL) -> String? {
        text(key, in: url).map {
            URL(fileURLWithPath: $0, relativeTo: url.deletingLastPathComponent()).standardizedFileURL.path
        }
    }

    /// The results folder that a batch file asks for, whatever else it says.
    public static func results(in url: URL) -> String {
        path("results", in: url)
            ?? url.absoluteURL.deletingLastPathComponent().appendingPathComponent(usualResults(of: name(in: url)))
            .standardizedFileURL.path
    }

    /// Where the results of a batch go if nothing else is asked for, from the folder of its batch file.
    public static func usualResults(of name: String) -> String { "results/\(name)" }

    /// The name of the batch of a batch file, whatever else it says.
    public static func name(in url: URL) -> String {
        text("name", in: url) ?? url.deletingPathExtension().lastPathComponent
    }

    /// The source of the items that a stored batch file names, whatever else it says; nil if it names none.
    public static func itemSource(in url: URL) -> ItemSource? {
        guard let items = path("items", in: url) else { return nil }
        let images = path("images", in: url) ?? url.deletingLastPathComponent().path
        return ItemSource(path: items, images: images, prompt: text("prompt", in: url))
    }

    private static func text(_ key: String, in url: URL) -> String? {
        guard let text = try? String(contentsOf: url, encoding: .utf8), let root = try? Yams.compose(yaml: text),
            case .mapping(let mapping) = root
        else { return nil }
        return mapping[Node(key)]?.scalar?.string
    }
}
