internal import Foundation
internal import JobVocabulary

/// One line of a manifest: an instruction, and the pictures that it is about.
public struct Item: Hashable, Sendable {
    /// The most bytes a line may have.
    public static let maximumBytes = 256 * 1024

    /// The user's name for it.
    public var id: ItemID
    /// The pictures, relative to the batch's image folder, in the order of their places in the prompt; none if the
    /// instruction is about none.
    public var images: [String]
    /// The instruction.
    public var prompt: String
    /// Accepted answers, for scoring.
    public var answers: [String]
    /// Free labels, for grouping.
    public var labels: [String: String]
    /// Most tokens of the answer; nil takes the batch's number.
    public var maxTokens: Int?
    /// 0 is greedy; nil takes the batch's number.
    public var temperature: Double?

    /// An item.
    public init(
        id: ItemID, images: [String], prompt: String, answers: [String] = [], labels: [String: String] = [:],
        maxTokens: Int? = nil, temperature: Double? = nil
    ) {
        self.id = id
        self.images = images
        self.prompt = prompt
        self.answers = answers
        self.labels = labels
        self.maxTokens = maxTokens
        self.temperature = temperature
    }

    /// Reads one JSON object such as `{"id":"a","image":"cat.jpg","prompt":"What is it?"}`; every problem is named.
    ///
    /// Several pictures are `"images":["a.jpg","b.jpg"]`. An item without a picture says so, with `"image":null` or
    /// `"images":[]`: a line that forgot its picture is a mistake.
    public init(json: String) throws(JobModelError) {
        if let item = ItemScanner.item(json) {
            self = item
            return
        }
        let fields = ItemFields(json: json)
        guard let item = fields.item else {
            let problems = fields.problems.joined(separator: "; ")
            throw JobModelError(.badItem, "The item is not usable: \(problems). Correct it and submit again.")
        }
        self = item
    }
}

/// The fields of a manifest line, decoded as far as possible so that all of its problems are found.
struct ItemFields {
    static let keys = ["id", "image", "images", "prompt", "answers", "labels", "max_tokens", "temperature"]

    var id: String?
    var images: [String]?
    var prompt: String?
    var answers: [String]?
    var labels: [String: String]?
    var maxTokens: Int?
    var temperature: Double?
    /// Whether it is an object without a prompt.
    var lacksPrompt = false
    var problems: [String] = []

    init(json: String) {
        if let item = ItemScanner.item(json) {
            (id, images, prompt) = (item.id.rawValue, item.images, item.prompt)
            (answers, labels, maxTokens) = (item.answers, item.labels, item.maxTokens)
            return
        }
        guard json.utf8.count <= Item.maximumBytes else {
            problems = ["the line has \(json.utf8.count) bytes, more than \(Item.maximumBytes)"]
            return
        }
        // Foundation skips a byte order mark, SQLite's JSON functions do not.
        guard json.unicodeScalars.first != "\u{FEFF}" else {
            problems = ["it begins with a byte order mark, which only the first line of a file may"]
            return
        }
        guard !json.hasTrailingComma else {
            problems = ["it is not valid JSON: a comma stands before the end of an object or a list"]
            return
        }
        do {
            self = try JSONDecoder().decode(ItemFields.self, from: Data(json.utf8))
        } catch DecodingError.typeMismatch {
            problems = ["it is not a JSON object"]
        } catch {
            problems = ["it is not valid JSON"]
        }
    }

    /// The item, where nothing is wrong with it.
    var item: Item? {
        guard problems.isEmpty, let id, let images, let prompt else { return nil }
        return Item(
            id: ItemID(id), images: images, prompt: prompt, answers: answers ?? [], labels: labels ?? [:],
            maxTokens: maxTokens, temperature: temperature)
    }
}

extension ItemFields: Decodable {
    init(from decoder: any Decoder) throws {
        let container = try decoder.container(keyedBy: AnyKey.self)
        for key in container.allKeys.map(\.stringValue).sorted() where !Self.keys.contains(key) {
            problems.append(
                "unknown key '\(key)'\(key.guess(among: Self.keys)); known are \(Self.keys.joined(separator: ", "))")
        }
        id = text("id", container)
        if let id, id.utf8.count > ItemID.maximumBytes {
            problems.append("'id' has \(id.utf8.count) bytes, more than \(ItemID.maximumBytes)")
        }
        images = pictures(container)
        lacksPrompt = !container.contains(AnyKey("prompt"))
        prompt = text("prompt", container)
        answers = optional("answers", [String].self, "a list of texts", container)
        labels = optional("labels", [String: String].self, "an object of texts", container)
        maxTokens = optional("max_tokens", Int.self, "a whole number", container)
        if let maxTokens, maxTokens < 1 { problems.append("'max_tokens' is \(maxTokens); at least 1 is needed") }
        temperature = optional("temperature", Double.self, "a number", container)
        if let temperature, temperature < 0 { problems.append("'temperature' is \(temperature); it must be 0 or more") }
        for image in images ?? [] where ImagePath.isURL(image) {
            problems.append("image '\(image)' is a URL; pictures are files below the image folder, nothing is fetched")
        }
        for image in images ?? []
        where !image.allSatisfy(\.isWhitespace) && !ImagePath.isURL(image)
            && ImagePath.resolve(image, under: "/images") == nil
        {
            problems.append("image '\(image)' leaves the image folder; give a path inside it")
        }
    }

    /// The pictures, none if the line says that there is none; nil if it does not say.
    private mutating func pictures(_ container: KeyedDecodingContainer<AnyKey>) -> [String]? {
        switch (container.contains(AnyKey("image")), container.contains(AnyKey("images"))) {
        case (true, true):
            problems.append("'image' and 'images' are both there; give one of them")
            return nil
        case (false, false):
            problems.append("'image' is missing; write null for a text-only job")
            return nil
        case (true, false):
            if (try? container.decodeNil(forKey: AnyKey("image"))) == true { return [] }
            return text("image", container).map { [$0] }
        case (false, true):
            guard let images = try? container.decode([String].self, forKey: AnyKey("images")) else {
                problems.append("'images' must be a list of texts")
                return nil
            }
            for image in images { check(image, "images") }
            return images
        }
    }

    /// A required text that is not blank.
    private mutating func text(_ key: String, _ container: KeyedDecodingContainer<AnyKey>) -> String? {
        guard container.contains(AnyKey(key)) else {
            problems.append("'\(key)' is missing")
            return nil
        }
        guard let value = try? container.decode(String.self, forKey: AnyKey(key)) else {
            problems.append("'\(key)' must be a text")
            return nil
        }
        check(value, key)
        return value
    }

    private mutating func check(_ value: String, _ key: String) {
        if value.allSatisfy(\.isWhitespace) {
            problems.append(key == "images" ? "'images' has an empty text" : "'\(key)' is empty")
        }
        if value.utf8.contains(0) { problems.append("'\(key)' contains a zero byte") }
    }

    private mutating func optional<Value: Decodable>(
        _ key: String, _ type: Value.Type, _ expected: String, _ container: KeyedDecodingContainer<AnyKey>
    ) -> Value? {
        guard container.contains(AnyKey(key)) else { return nil }
        if let value = try? container.decode(type, forKey: AnyKey(key)) { return value }
        problems.append("'\(key)' must be \(expected)")
        return nil
    }
}

extension String {
    /// Whether a comma outside of texts is followed by the end of an object or list: Foundation lets it pass, JSON and
    /// whoever reads the line later do not.
    fileprivate var hasTrailingComma: Bool {
        var isInText = false, isEscaped = false, isAfterComma = false
        for byte in utf8 {
            if isInText {
                if !isEscaped, byte == UInt8(ascii: "\"") { isInText = false }
                isEscaped = !isEscaped && byte == UInt8(ascii: "\\")
                continue
            }
            switch byte {
            case UInt8(ascii: " "), 0x09, 0x0A, 0x0D: continue
            case UInt8(ascii: "}"), UInt8(ascii: "]"): if isAfterComma { return true }
            case UInt8(ascii: "\""): isInText = true
            default: break
            }
            isAfterComma = byte == UInt8(ascii: ",")
        }
        return false
    }
}

private struct AnyKey: CodingKey {
    var stringValue: String
    var intValue: Int? { nil }
    init(_ key: String) { stringValue = key }
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
}
