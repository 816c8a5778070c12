internal import Foundation

/// The items of a batch one after the other, each as a line of JSON, whatever they are read from.
///
/// Everything behind it, checks, submissions and results, sees JSON lines only.
public struct ItemLines: ~Copyable {
    /// One item.
    public struct Line: Sendable {
        /// 1-based line of the file on which the item begins; nil in a folder.
        public var number: Int?
        /// The item as ``Item/init(json:)`` reads it; nil if the record is malformed, and then `problem` says why.
        public var text: String?
        /// Why there is no text.
        public var problem: String?
    }

    private var reader: any ItemReader
    private var pictures: PicturesByFolder

    /// Opens a source of items; throws if nothing of it can be read.
    public init(_ source: ItemSource) throws(ManifestProblems) { try self.init(source, unpacking: false) }

    /// Opens a source of items.
    ///
    /// - Parameter unpacking: Whether pictures that stand in requests are written to files, as the check of a batch does.
    init(_ source: ItemSource, unpacking: Bool) throws(ManifestProblems) {
        pictures = PicturesByFolder(root: source.images)
        switch try source.form() {
        case .folder: reader = try FolderItems(source)
        case .csv: reader = try CSVItems(source)
        case .jsonLines: reader = try JSONLinesItems(source)
        case .openAI: reader = try OpenAIItems(source, unpacking: unpacking)
        }
    }

    /// The next item, or nil behind the last one. Pictures that its source names by absolute paths below the image folder are
    /// named from that folder.
    public mutating func next() throws(ManifestProblems) -> Line? {
        guard var line = try reader.next() else { return nil }
        line.text = line.text.map { pictures.naming(picturesOf: $0) }
        return line
    }
}

/// Reads the items of one form.
protocol ItemReader {
    mutating func next() throws(ManifestProblems) -> ItemLines.Line?
}

/// Items as JSON lines: a line that is no item is handed on as it stands.
struct JSONLinesItems: ItemReader {
    private let lines: TextLines
    private let prompt: String?

    init(_ source: ItemSource) throws(ManifestProblems) {
        lines = try TextLines(path: source.path)
        prompt = source.prompt
    }

    mutating func next() throws(ManifestProblems) -> ItemLines.Line? {
        guard let line = try lines.nextInked() else { return nil }
        guard let text = line.text else {
            return ItemLines.Line(
                number: line.number, problem: "not UTF-8, or longer than \(Item.maximumBytes) bytes")
        }
        return ItemLines.Line(number: line.number, text: prompt.map { completed(text, with: $0) } ?? text)
    }

    /// The line with `prompt` added if it is an object that has none.
    private func completed(_ text: String, with prompt: String) -> String {
        guard ItemScanner.item(text) == nil, ItemFields(json: text).lacksPrompt,
            let brace = text.firstIndex(of: "{")
        else { return text }
        let rest = text[text.index(after: brace)...]
        let isEmpty = rest.first { !$0.isWhitespace } == "}"
        return "{\"prompt\":\(prompt.asJSON)" + (isEmpty ? "" : ",") + rest
    }
}

extension String {
    /// The text as JSON, with its quotes.
    package var asJSON: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .withoutEscapingSlashes
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "\"\""
    }
}
