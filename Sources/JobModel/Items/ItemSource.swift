internal import Foundation

/// The source of a batch's items: a folder of pictures, a CSV file, or JSON lines in one of two forms.
public struct ItemSource: Sendable, Hashable {
    /// How items are written.
    public enum Form: Sendable, Hashable {
        /// A folder: one item for each picture in it or below.
        case folder
        /// A CSV file: one item for each row under a header.
        case csv
        /// JSON lines as ``Item/init(json:)`` reads them.
        case jsonLines
        /// The requests of OpenAI's Batch API, one JSON object a line.
        case openAI
    }

    /// The folder or file, absolute.
    public var path: String
    /// The folder that relative image paths start from, absolute.
    public var images: String
    /// The prompt of items that have none; nil if every item has its own.
    public var prompt: String?

    /// A source of items.
    public init(path: String, images: String, prompt: String? = nil) {
        self.path = path
        self.images = images
        self.prompt = prompt
    }

    /// How the items are written: a folder is one, a name that ends in `.csv` or `.tsv` says so, and the first record tells
    /// the two forms of JSON lines apart.
    public func form() throws(ManifestProblems) -> Form {
        if isFolder(path) { return .folder }
        let ending = ending(of: path)
        if ["csv", "tsv"].contains(ending) { return .csv }
        if let kind = Self.foreign[ending] {
            throw ManifestProblems(
                path, nil,
                "\(kind) is not read; save it as CSV, or name a folder of pictures, a CSV file or JSON lines")
        }
        return try OpenAIRequest.begins(path) ? .openAI : .jsonLines
    }

    /// Files that make no items: those of a folder that are no pictures, or of kinds that are not read.
    public func leftOut() throws(ManifestProblems) -> LeftOutFiles {
        isFolder(path) ? try PictureFolder(path).leftOut : LeftOutFiles()
    }

    /// Files that people keep tables in, by ending.
    private static let foreign = [
        "xlsx": "an Excel workbook", "xls": "an Excel workbook", "ods": "a spreadsheet", "parquet": "Parquet",
        "arrow": "Arrow", "feather": "Feather", "sqlite": "a database", "zip": "an archive", "tar": "an archive",
        "gz": "a compressed file",
    ]
}

extension BatchDescription {
    /// What the items of the batch are read from.
    public var itemSource: ItemSource { ItemSource(path: items, images: images, prompt: prompt) }
}

/// The letters behind the last point of a path's last part, in lower case; empty if there are none.
func ending(of path: String) -> String { (path as NSString).pathExtension.lowercased() }
