internal import Foundation
internal import JobVocabulary

/// Items as rows of a CSV file under a header.
///
/// The columns `image` (or `images`), `prompt`, `id`, `answers`, `max_tokens` and `temperature` are those of JSON lines; every other named
/// column is a label, unless its name is one slip away from one of these that is not there. Several answers or pictures in one cell are separated by `|`, or are a JSON list. Without a column `id`,
/// row 1 is `row-1`; without a column `prompt`, or with an empty cell in it, the item has the source's prompt.
struct CSVItems: ItemReader {
    static let separator: Character = "|"
    private static let known = ["id", "image", "images", "prompt", "answers", "max_tokens", "temperature"]

    private let prompt: String?
    /// The header: names in its order, those of known columns in lower case.
    private let columns: [String]
    private var records: CSVRecords
    private var row = 0

    init(_ source: ItemSource) throws(ManifestProblems) {
        prompt = source.prompt
        records = CSVRecords(try TextLines(path: source.path))
        guard let header = try records.next() else {
            throw ManifestProblems(
                source.path, nil, "the file is empty; its first line names the columns, such as image,prompt")
        }
        if let problem = header.problem { throw ManifestProblems(source.path, header.line, problem) }
        columns = header.cells.map { cell in
            let name = cell.trimmingCharacters(in: .whitespacesAndNewlines), word = name.lowercased()
            return Self.known.contains(word) ? word : name
        }
        var problems = ManifestProblems()
        let named = columns.filter { !$0.isEmpty }
        for name in Set(named).sorted() where named.count(where: { $0 == name }) > 1 {
            problems.add(source.path, header.line, "two columns are called '\(name)'")
        }
        var meantColumns: Set<String> = []
        let absent = Self.known.filter { !columns.contains($0) && $0 != "id" }
        for name in named where !Self.known.contains(name) {
            guard let meant = name.meant(among: absent, differingBy: 1) else { continue }
            meantColumns.insert(meant)
            problems.add(
                source.path, header.line,
                "the column '\(name)' looks like '\(meant)'; call it so, or, if it is a label, by a name that differs more"
            )
        }
        if meantColumns.isDisjoint(with: ["image", "images"]), !columns.contains("image"), !columns.contains("images") {
            problems.add(
                source.path, header.line,
                "there is no column 'image' in the header; it names \(named.joined(separator: ", "))")
        } else if columns.contains("image"), columns.contains("images") {
            problems.add(source.path, header.line, "'image' and 'images' are both columns; give one of them")
        }
        if prompt == nil, !columns.contains("prompt"), !meantColumns.contains("prompt") {
            problems.add(
                source.path, header.line,
                "there is no column 'prompt' in the header; name one so, or give one prompt for all rows (--prompt, or "
                    + "'prompt' in a batch file)")
        }
        guard problems.isEmpty else { throw problems }
    }

    mutating func next() throws(ManifestProblems) -> ItemLines.Line? {
        guard let record = try records.next() else { return nil }
        row += 1
        if let problem = record.problem { return ItemLines.Line(number: record.line, problem: problem) }
        guard record.cells.count == columns.count else {
            return ItemLines.Line(
                number: record.line,
                problem:
                    "the row has \(record.cells.count) cells and the header \(columns.count) columns; a separator or "
                    + "quotation mark is missing or too many")
        }
        var item = Item(id: ItemID("row-\(row)"), images: [], prompt: prompt ?? "")
        for (column, cell) in zip(columns, record.cells) {
            switch column {
            case "id": item.id = ItemID(cell)
            case "image":
                guard !cell.allSatisfy(\.isWhitespace) else {
                    return ItemLines.Line(
                        number: record.line,
                        problem: "'image' is empty; for text-only jobs use a column 'images' instead")
                }
                item.images = [cell]
            case "images": item.images = Self.list(cell)
            case "prompt": if prompt == nil || !cell.allSatisfy(\.isWhitespace) { item.prompt = cell }
            case "answers": item.answers = Self.list(cell)
            case "max_tokens", "temperature":
                let word = cell.trimmingCharacters(in: .whitespaces)
                let isTokens = column == "max_tokens"
                item.maxTokens = isTokens ? Int(word) : item.maxTokens
                item.temperature = isTokens ? item.temperature : Double(word).flatMap { $0.isFinite ? $0 : nil }
                guard word.isEmpty || (isTokens ? item.maxTokens != nil : item.temperature != nil) else {
                    return ItemLines.Line(
                        number: record.line,
                        problem: "'\(column)' must be a \(isTokens ? "whole number" : "number"), not '\(cell)'")
                }
            default: if !column.isEmpty, !cell.isEmpty { item.labels[column] = cell }
            }
        }
        return ItemLines.Line(number: record.line, text: item.json)
    }

    /// The texts of a cell: a JSON list of texts, or what stands between bars; an empty cell has none.
    private static func list(_ cell: String) -> [String] {
        let trimmed = cell.trimmingCharacters(in: .whitespaces)
        if trimmed.hasPrefix("["), let list = try? JSONDecoder().decode([String].self, from: Data(trimmed.utf8)) {
            return list
        }
        return trimmed.isEmpty
            ? [] : cell.split(separator: separator).map { $0.trimmingCharacters(in: .whitespaces) }
    }
}
