internal import Foundation
internal import ResultFiles

/// The output file of OpenAI's Batch API: for each job one JSON object with `id`, `custom_id`, `response` and `error`.
///
/// A job with an answer has the response of a chat completion, with its tokens counted; a failed one has null, and an error.
public enum OpenAIOutput {
    /// Writes the jobs of a catalogue in their order, a piece at a time.
    ///
    /// - Parameter modelID: What responses name as their model; nil for the folder of the checkpoint.
    public static func write(_ catalogue: Catalogue, modelID: String?, to put: (String) throws -> Void) throws {
        let stored = try catalogue.query("SELECT model FROM shards LIMIT 1").rows.first?.first ?? nil
        let model = modelID ?? URL(fileURLWithPath: stored?.text ?? "").lastPathComponent
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        let sql = """
            SELECT id, first_shard || '-' || first_row, status, answer, finish_reason, prompt_tokens, answer_tokens, finished_at, \
            error FROM jobs ORDER BY rowid
            """
        try catalogue.read(sql, columns: { _ in }) { row in
            try put(String(decoding: try encoder.encode(Line(row, model: model)), as: UTF8.self) + "\n")
        }
    }
}

/// One line; the names are those of OpenAI's API.
private struct Line: Encodable {
    struct Failure: Encodable {
        let code, message: String
    }

    struct Response: Encodable {
        let status_code: Int
        let request_id: String
        let body: Completion
    }

    struct Completion: Encodable {
        let id: String
        let object = "chat.completion"
        let created: Int
        let model: String
        let choices: [Choice]
        let usage: Usage
    }

    struct Choice: Encodable {
        let index = 0
        let message: Message
        let finish_reason: String
    }

    struct Message: Encodable {
        let role = "assistant"
        let content: String
    }

    struct Usage: Encodable {
        let prompt_tokens, completion_tokens, total_tokens: Int
    }

    let id, custom_id: String
    let response: Response?
    let error: Failure?

    init(_ row: [Scalar?], model: String) {
        let texts = row.map { $0?.text ?? "" }, numbers = row.map { $0?.whole ?? 0 }
        id = "batch_req_\(texts[1])"
        custom_id = texts[0]
        guard texts[2] == JobStatus.ok.rawValue else {
            response = nil
            error = Failure(code: "job_failed", message: texts[8])
            return
        }
        error = nil
        response = Response(
            status_code: 200, request_id: texts[1],
            body: Completion(
                id: "chatcmpl-\(texts[1])", created: numbers[7], model: model,
                choices: [Choice(message: Message(content: texts[3]), finish_reason: texts[4])],
                usage: Usage(
                    prompt_tokens: numbers[5], completion_tokens: numbers[6], total_tokens: numbers[5] + numbers[6])))
    }

    private enum Key: String, CodingKey { case id, custom_id, response, error }

    /// Nulls are written: readers look for `response` and `error` in every line.
    func encode(to encoder: any Encoder) throws {
        var container = encoder.container(keyedBy: Key.self)
        try container.encode(id, forKey: .id)
        try container.encode(custom_id, forKey: .custom_id)
        try container.encode(response, forKey: .response)
        try container.encode(error, forKey: .error)
    }
}

extension Scalar {
    fileprivate var text: String? { if case .text(let text) = self { text } else { nil } }

    /// The value as a whole number, rounded towards zero.
    fileprivate var whole: Int? {
        switch self {
        case .integer(let value): Int(value)
        case .real(let value): Int(exactly: value.rounded(.towardZero))
        case .text: nil
        }
    }
}
