internal import Foundation

/// A request of OpenAI's Batch API, as far as a model that answers one prompt about pictures can carry it out.
///
/// `custom_id`, `body.messages`, `body.max_tokens` (or `max_completion_tokens`) and `body.temperature` count. What changes no
/// answer here, such as `body.model`, is passed over; everything else is a problem that is named, because an answer that ignores
/// it would not be the one that was asked for.
struct OpenAIRequest {
    /// The most bytes of a line: its pictures may stand in it.
    static let maximumBytes = 64 << 20

    private(set) var id = ""
    /// The pictures: paths below the image folder, or `data:` URLs.
    private(set) var images: [String] = []
    /// The texts of the user's message, a line each; nil if there is none.
    private(set) var prompt: String?
    private(set) var maxTokens: Int?
    private(set) var temperature: Double?
    private(set) var problems: [String] = []

    /// Whether the first record of a file is such a request.
    static func begins(_ path: String) throws(ManifestProblems) -> Bool {
        guard let line = try TextLines(path: path, limit: maximumBytes).nextInked(),
            case .object(let fields)? = line.text.flatMap(JSONValue.init(text:))
        else { return false }
        return fields["custom_id"] != nil && fields["body"] != nil
    }

    /// Reads a request; what is wrong with it is in `problems`.
    init(_ text: String) {
        guard case .object(let fields)? = JSONValue(text: text) else {
            problems = ["it is not a JSON object"]
            return
        }
        if case .text(let text)? = fields["custom_id"] {
            id = text
        } else {
            problems.append(fields["custom_id"] == nil ? "'custom_id' is missing" : "'custom_id' must be a text")
        }
        if let method = fields["method"], method != .text("POST") { problems.append("'method' must be POST") }
        if case .text(let url)? = fields["url"], !url.hasSuffix("/chat/completions") {
            problems.append("'url' is \(url); only /v1/chat/completions can be carried out")
        }
        guard case .object(let body)? = fields["body"] else {
            problems.append("'body' must be an object with 'messages'")
            return
        }
        read(body)
    }

    private mutating func read(_ body: [String: JSONValue]) {
        for (key, value) in body.sorted(by: { $0.key < $1.key }) {
            switch (key, value) {
            case ("messages", .list(let messages)): read(messages)
            case ("messages", _): problems.append("'body.messages' must be a list")
            case ("max_tokens", .number(let number)), ("max_completion_tokens", .number(let number)):
                guard let tokens = Int(exactly: number), tokens >= 1 else {
                    problems.append("'body.\(key)' must be a whole number from 1")
                    continue
                }
                maxTokens = tokens
            case ("temperature", .number(let number)): temperature = number
            case (_, .null): continue
            case let (key, _) where Self.passedOver.contains(key): continue
            case let (key, value) where Self.neutral[key] == value: continue
            case ("top_p", _), ("seed", _), ("stop", _):
                problems.append(
                    "'body.\(key)' cannot differ from request to request; take it out and set 'generation.\(key)' in a batch "
                        + "file")
            default: problems.append("'body.\(key)' cannot be carried out; take it out")
            }
        }
        if body["messages"] == nil { problems.append("'body.messages' is missing") }
    }

    /// What changes no answer here.
    private static let passedOver: Set<String> = [
        "model", "user", "metadata", "store", "service_tier", "safety_identifier", "prompt_cache_key",
    ]
    /// Values that ask for what happens anyway.
    private static let neutral: [String: JSONValue] = [
        "n": .number(1), "stream": .bool(false), "logprobs": .bool(false), "top_p": .number(1),
        "frequency_penalty": .number(0), "presence_penalty": .number(0), "tools": .list([]), "stop": .list([]),
        "response_format": .object(["type": .text("text")]),
    ]

    private mutating func read(_ messages: [JSONValue]) {
        guard messages.count == 1, case .object(let message)? = messages.first, message["role"] == .text("user") else {
            let roles = messages.map { message -> String in
                if case .object(let fields) = message, case .text(let role)? = fields["role"] { role } else { "?" }
            }
            problems.append(
                "'body.messages' must be one message of the user, not \(roles.isEmpty ? "none" : roles.joined(separator: ", ")); "
                    + "'template' says what stands around it, so put the words of a system message into the user's")
            return
        }
        switch message["content"] {
        case .text(let text): prompt = text
        case .list(let parts): for part in parts { read(part) }
        default: problems.append("'content' of the message must be a text or a list of parts")
        }
    }

    private mutating func read(_ part: JSONValue) {
        guard case .object(let fields) = part, case .text(let type)? = fields["type"] else {
            problems.append("a part of the message has no 'type'")
            return
        }
        switch (type, fields[type]) {
        case ("text", .text(let text)): prompt = prompt.map { $0 + "\n" + text } ?? text
        case ("image_url", .object(let image)):
            guard case .text(let url)? = image["url"] else { fallthrough }
            images.append(url)
        case ("text", _), ("image_url", _):
            problems.append("a part of type '\(type)' has no \(type == "text" ? "'text'" : "'url'")")
        default: problems.append("a part of type '\(type)' cannot be carried out; give text and image_url")
        }
    }
}

/// Any JSON value.
enum JSONValue: Decodable, Equatable, Sendable {
    case null
    case bool(Bool)
    case number(Double)
    case text(String)
    case list([JSONValue])
    case object([String: JSONValue])

    /// Reads a text; nil if it is no JSON.
    init?(text: String) {
        guard let value = try? JSONDecoder().decode(JSONValue.self, from: Data(text.utf8)) else { return nil }
        self = value
    }

    init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        if container.decodeNil() {
            self = .null
        } else if let value = try? container.decode(String.self) {
            self = .text(value)
        } else if let value = try? container.decode(Bool.self) {
            self = .bool(value)
        } else if let value = try? container.decode(Double.self) {
            self = .number(value)
        } else if let value = try? container.decode([JSONValue].self) {
            self = .list(value)
        } else {
            self = .object(try container.decode([String: JSONValue].self))
        }
    }
}
