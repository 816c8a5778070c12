/// One item for each picture in a folder and below, in the order of their paths; the path is the id.
struct FolderItems: ItemReader {
    private var pictures: IndexingIterator<[String]>
    private let prompt: String
    /// What leads from the image folder to the folder of the items.
    private let prefix: String

    init(_ source: ItemSource) throws(ManifestProblems) {
        guard let prompt = source.prompt else {
            throw ManifestProblems(
                source.path, nil,
                "a folder holds pictures and no questions; give one prompt for all of them (--prompt, or 'prompt' in a batch "
                    + "file)")
        }
        self.prompt = prompt
        let root = source.images.hasSuffix("/") ? source.images : source.images + "/"
        guard (source.path + "/").hasPrefix(root) else {
            throw ManifestProblems(
                source.path, nil,
                "the folder of the items is not inside the folder of the images, \(source.images); leave 'images' out")
        }
        let below = source.path.dropFirst(root.count)
        prefix = below.isEmpty ? "" : below + "/"
        let folder = try PictureFolder(source.path)
        guard !folder.pictures.isEmpty else {
            let endings = PictureFolder.endings.map { "." + $0 }.joined(separator: ", ")
            let found = folder.leftOut.isEmpty ? "" : "; there are \(folder.leftOut.inWords)"
            throw ManifestProblems(
                source.path, nil, "there is no picture in the folder or below: no file that ends in \(endings)\(found)")
        }
        pictures = folder.pictures.makeIterator()
    }

    mutating func next() throws(ManifestProblems) -> ItemLines.Line? {
        guard let picture = pictures.next() else { return nil }
        return ItemLines.Line(
            text: Item(id: ItemID(picture), images: [prefix + picture], prompt: prompt).json)
    }
}

extension LeftOutFiles {
    /// What there is, such as "9 TIFF, 2 HEIC and 3 other files".
    fileprivate var inWords: String {
        let other = others.count == 1 ? "1 other file" : "\(others.count) other files"
        if pictures.isEmpty { return other }
        return pictureCounts + (others.count > 0 ? " and \(other)" : "") + ", which are not read"
    }
}
