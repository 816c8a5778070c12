internal import Foundation
private import Glibc
internal import JobVocabulary

/// The pictures in a folder and below, told by the endings of their names.
struct PictureFolder {
    /// Endings of files that are items.
    static let endings = ["jpg", "jpeg", "jpe", "jfif", "png", "webp", "gif"]

    /// Paths of the pictures below the folder, sorted.
    private(set) var pictures: [String] = []
    /// Files of the folder that make no items.
    private(set) var leftOut = LeftOutFiles()

    /// Looks through a folder and all folders in it. Whatever begins with a point is passed over, and so is a link to a folder,
    /// which may lead in a circle.
    init(_ folder: String) throws(ManifestProblems) {
        var problems = ManifestProblems()
        collect(folder, "", &problems)
        guard problems.isEmpty else { throw problems }
        pictures.sort()
        leftOut.sort()
    }

    private mutating func collect(_ folder: String, _ prefix: String, _ problems: inout ManifestProblems) {
        guard let (names, foreign) = Self.names(in: folder) else {
            problems.add(folder, nil, "the folder cannot be read; check its permissions")
            return
        }
        if let example = foreign.first {
            let count = foreign.count == 1 ? "a name in it is" : "\(foreign.count) names in it are"
            problems.add(folder, nil, "\(count) not UTF-8, such as \(example); give it another")
        }
        for name in names where !name.hasPrefix(".") {
            let path = "\(folder)/\(name)", place = prefix + name
            var information = stat()
            guard lstat(path, &information) == 0 else { continue }
            let isLink = information.st_mode & S_IFMT == S_IFLNK
            if information.st_mode & S_IFMT == S_IFDIR {
                // Panels that somebody drew into the results of a batch are none of its pictures.
                if isFile("\(path)/\(ResultsLayout.token)") { continue }
                collect(path, place + "/", &problems)
            } else if isLink, isFolder(path) {
                leftOut.add(place, kind: nil)
            } else if !isLink, !isFile(path) {
                leftOut.add(place, kind: nil)
            } else if Self.endings.contains(ending(of: name)) {
                // A link that leads nowhere, or out of the folder, is found when its item is checked.
                pictures.append(place)
            } else {
                leftOut.add(place, kind: LeftOutFiles.kinds[ending(of: name)])
            }
        }
    }
}

extension PictureFolder {
    /// The names in a folder, and those that are not UTF-8, with U+FFFD for what is wrong; nil if it cannot be read.
    fileprivate static func names(in folder: String) -> (names: [String], foreign: [String])? {
        guard let directory = opendir(folder) else { return nil }
        defer { closedir(directory) }
        var names: [String] = [], foreign: [String] = []
        while let entry = readdir(directory) {
            let bytes = withUnsafeBytes(of: entry.pointee.d_name) { Array($0.prefix { $0 != 0 }) }
            if let name = String(validating: bytes, as: UTF8.self) {
                names.append(name)
            } else {
                foreign.append(String(decoding: bytes, as: UTF8.self))
            }
        }
        return (names, foreign)
    }
}

/// Files in a folder of pictures that make no items.
public struct LeftOutFiles: Sendable, Hashable {
    /// Files of one kind.
    public struct Group: Sendable, Hashable {
        /// How many files of the kind there are.
        public internal(set) var count = 0
        /// The first few, by their paths below the folder, sorted.
        public internal(set) var examples: [String] = []
    }

    /// Pictures of kinds that are not read, by kind.
    public private(set) var pictures: [String: Group] = [:]
    /// Everything else, links to folders among it.
    public private(set) var others = Group()

    /// Nothing left out.
    public init() {}

    /// Whether there are none.
    public var isEmpty: Bool { pictures.isEmpty && others.count == 0 }

    private static let mostExamples = 3

    /// Kinds of pictures that are not read, by ending.
    static let kinds: [String: String] = {
        let groups = [
            "TIFF": ["tif", "tiff"], "BMP": ["bmp", "dib"], "HEIC": ["heic", "heif", "hif"],
            "AVIF": ["avif"], "JPEG 2000": ["jp2", "j2k", "jpx", "jpf"], "JPEG XL": ["jxl"], "SVG": ["svg", "svgz"],
            "ICO": ["ico"], "PSD": ["psd"], "camera raw": ["dng", "cr2", "cr3", "nef", "arw", "orf", "rw2", "raf"],
        ]
        return Dictionary(uniqueKeysWithValues: groups.flatMap { kind, endings in endings.map { ($0, kind) } })
    }()

    mutating func add(_ path: String, kind: String?) {
        func add(to group: inout Group) {
            group.count += 1
            group.examples.append(path)
            // Sorted and cut now and then, so that a million files take no memory.
            if group.examples.count > 1000 { Self.sort(&group) }
        }
        if let kind { add(to: &pictures[kind, default: Group()]) } else { add(to: &others) }
    }

    mutating func sort() {
        for kind in pictures.keys { Self.sort(&pictures[kind, default: Group()]) }
        Self.sort(&others)
    }

    private static func sort(_ group: inout Group) {
        group.examples = Array(group.examples.sorted().prefix(mostExamples))
    }

    /// The pictures of kinds that are not read, the kind with the most of them first.
    public var pictureKinds: [(kind: String, group: Group)] {
        pictures.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.map { ($0.key, $0.value) }
    }

    /// How many pictures of which kinds, such as "9 TIFF, 2 HEIC"; the most first.
    public var pictureCounts: String {
        pictureKinds.map { "\($0.group.count) \($0.kind)" }.joined(separator: ", ")
    }
}
