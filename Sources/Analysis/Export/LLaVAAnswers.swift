internal import Foundation
internal import ResultFiles

/// The answers in the form that LLaVA's evaluation scripts read: one JSON object a line with `question_id`, `prompt`,
/// `text`, `answer_id`, `model_id` and `metadata`.
///
/// `question_id` is the label `question_id` of the item where it has one, else its id; whole numbers are written as
/// numbers, as the scripts compare them. Failed jobs have an empty text, so that every question has its line.
public struct LLaVAAnswers {
    private let lines: [String]

    /// Reads the answers from a catalogue.
    public init(_ catalogue: Catalogue, modelID: String?) throws {
        let model = try catalogue.query("SELECT model FROM shards LIMIT 1").rows.first?.first ?? nil
        var fallback = ""
        if case .text(let path)? = model { fallback = URL(fileURLWithPath: path).lastPathComponent }
        let json = JSONText()
        let name = try json.text(modelID ?? fallback)
        let rows = try catalogue.query(
            "SELECT id, prompt, answer, labels, first_shard || '-' || first_row FROM jobs ORDER BY rowid"
        ).rows
        let decoder = JSONDecoder()
        lines = try rows.map { row in
            let texts = row.map { value in if case .text(let text)? = value { text } else { "" } }
            let labels = (try? decoder.decode([String: String].self, from: Data(texts[3].utf8))) ?? [:]
            let question = labels["question_id"] ?? texts[0]
            // "007" is not 7: the scripts look for it as it is.
            let isNumber = Int(question).map { "\($0)" == question } ?? false
            let id = try isNumber ? question : json.text(question)
            return """
                {"question_id": \(id), "prompt": \(try json.text(texts[1])), \
                "text": \(try json.text(texts[2])), "answer_id": \(try json.text(texts[4])), \
                "model_id": \(name), "metadata": {}}
                """
        }
    }

    /// The file.
    public func text() -> String { lines.map { $0 + "\n" }.joined() }
}
