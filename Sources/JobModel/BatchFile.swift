public import Foundation
internal import Yams

/// A batch file (`Jobs/*.yaml`), checked: what it asks for, with every default filled in.
///
/// | key | default |
/// |---|---|
/// | `name` | the file's name without its extension |
/// | `model` | required: a checkpoint folder |
/// | `vision_tower` | none: the checkpoint holds its own, and no method reads the question |
/// | `items` | required: a folder of pictures, a CSV file, or JSON lines |
/// | `images` | the folder of the batch file; if `items` is a folder, that one |
/// | `prompt` | none: every item has its own |
/// | `results` | `results/<name>` beside the batch file |
/// | `method` | `none`; a name, or `name`, `keep`, `from_layer` and the method's own options |
/// | `template` | `vicuna_v1`; or another ``PromptTemplate`` |
/// | `image_tag` | none: no prompt under a template holds `<image>`; or `place`, `text` |
/// | `image_mode` | what the checkpoint says, or else `crop`; or `pad` |
/// | `orientation` | `exif`; or `as-stored` |
/// | `precision` | `auto`; or `f32`, `bf16` |
/// | `weights` | `auto`; or `f32`, `bf16`, `f16`, `int8`, `int4` |
/// | `generation` | `max_tokens: 64`, `temperature: 0`, `top_p: 1`, `seed: 0`, `stop: []` |
/// | `features` | `projected`; or `tower`, `none` |
/// | `trace` | `full`; or `indices`, `none` |
/// | `queue` | `priority: 0`, `labels`, `max_fails`, `retries`, `crash_limit: 5`, `timeout`, `second_runs: false` |
/// | `run` | `workers: 1`, `threads`: shared out among the workers; `winnow run` reads it |
///
/// Relative paths start from the folder of the batch file.
public struct BatchFile: Sendable, Hashable {
    /// How `winnow run` starts workers on this machine.
    public struct Run: Sendable, Hashable {
        /// Worker processes.
        public var workers: Int
        /// Compute threads of each; nil shares the processors out.
        public var threads: Int?

        /// One worker with all processors unless told otherwise.
        public init(workers: Int = 1, threads: Int? = nil) {
            self.workers = workers
            self.threads = threads
        }
    }

    /// What the batch asks for.
    public var description: BatchDescription
    /// How `winnow run` starts workers.
    public var run: Run
    /// The items.
    public var itemCount: Int
    /// Those of them that are about a picture.
    public var picturedItemCount: Int
    /// The pictures of all items together, one that several name counted once for each.
    public var pictureCount: Int
    /// The most pictures that an item is about.
    public var mostPictures: Int
    /// The first line of the items file with so many; nil if the items are a folder.
    public var lineOfMostPictures: Int?
    /// Pictures whose items will fail, where somebody looked.
    public var unreadablePictures = UnreadablePictures()
    /// Files of a folder of items that make no items.
    public var leftOut = LeftOutFiles()

    /// Reads and checks a batch file and its items; throws everything that is wrong with them at once.
    ///
    /// - Parameters:
    ///   - url: The batch file.
    ///   - methods: The names of the known methods; nil leaves the name unchecked.
    ///   - changes: Values that take the place of the file's.
    ///   - pictureTrouble: Why the file at a path cannot be read as a picture, nil where nothing speaks against it; called
    ///     once for each of the first pictures. It is no problem of the batch: that stands in `unreadablePictures`.
    public static func load(
        _ url: URL, methods: [String]? = nil, changing changes: BatchChanges = BatchChanges(),
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
            pictureTrouble: pictureTrouble, problems: problems)
        return try reader.checked(root)
    }

    /// Makes and checks a batch without a file: of `changes`, which name at least a model and what the items are read from, and
    /// the defaults.
    ///
    /// - Parameter folder: What paths start from that are left out, such as that of the results.
    public static func make(
        of changes: BatchChanges, in folder: URL, methods: [String]? = nil,
        pictureTrouble: ((String) -> String?)? = nil
    ) throws(ManifestProblems) -> BatchFile {
        let reader = BatchFileReader(
            file: "the command line", folder: URL(fileURLWithPath: folder.path, isDirectory: true),
            fallbackName: BatchName.derived(from: changes.items ?? changes.images ?? ""), changes: changes,
            methods: methods, pictureTrouble: pictureTrouble, problems: ManifestProblems())
        return try reader.checked(nil)
    }

    private static let folderIsNoBatch =
        "this is a folder; name a batch file, or with --model the checkpoint, with --images this folder, and with --prompt what to ask"

    /// The line and the words of an error while reading YAML.
    private static func place(_ error: any Error) -> (line: Int?, message: String) {
        guard let error = error as? YamlError else {
            return (nil, "the batch file cannot be read; check its path and that it is UTF-8 text")
        }
        switch error {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            return (mark.line, "not valid YAML: \(problem)")
        case .duplicatedKeysInMapping(let keys, let context):
            return (context.mark.line, "keys given twice: \(keys.sorted().joined(separator: ", "))")
        default: return (nil, "not valid YAML: \(error)")
        }
    }
}

extension BatchFile {
    /// A path as a batch file names it under a key such as `images`, whatever else the file says; nil where it does not.
    public static func path(_ key: String, in url: URL) -> String? {
        text(key, in: url).map {
            URL(fileURLWithPath: $0, relativeTo: url.deletingLastPathComponent()).standardizedFileURL.path
        }
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
