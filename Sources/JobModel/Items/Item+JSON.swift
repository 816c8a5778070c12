internal import Foundation
internal import JobVocabulary

extension Item {
    /// The item as one line of JSON with sorted keys, which ``init(json:)`` reads.
    public var json: String {
        let fields = Encoded(
            id: id.rawValue, images: images, prompt: prompt, answers: answers.isEmpty ? nil : answers,
            labels: labels.isEmpty ? nil : labels, max_tokens: maxTokens, temperature: temperature)
        let encoder = JSONEncoder.canonical
        return (try? encoder.encode(fields)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    /// Where this item differs from another one of its id, as `prompt: "How many?" → "Which colour?"`.
    package func differences(from other: Item) -> [String] {
        func fields(_ item: Item) -> [(name: String, value: String)] {
            let labels = item.labels.sorted { $0.key < $1.key }.map { "\($0.key.asJSON): \($0.value.asJSON)" }
            return [
                ("images", item.images.map(\.asJSON).joined(separator: ", ")), ("prompt", item.prompt.asJSON),
                ("answers", item.answers.map(\.asJSON).joined(separator: ", ")),
                ("labels", labels.joined(separator: ", ")),
                ("max_tokens", item.maxTokens.map { "\($0)" } ?? ""),
                ("temperature", item.temperature.map { "\($0)" } ?? ""),
            ]
        }
        return zip(fields(other), fields(self)).filter { $0.value != $1.value }.map { old, new in
            // Of long texts, what lies around the first letters that differ.
            let common = zip(old.value, new.value).prefix { $0 == $1 }.count, start = max(0, common - 40)
            func shown(_ text: String) -> String {
                text.isEmpty ? "none" : (start > 0 ? "…" : "") + String(text.dropFirst(start)).shortened(to: 100)
            }
            return "\(old.name): \(shown(old.value)) → \(shown(new.value))"
        }
    }

    private struct Encoded: Encodable {
        let id: String
        let images: [String]
        let prompt: String
        let answers: [String]?
        let labels: [String: String]?
        let max_tokens: Int?
        let temperature: Double?
    }
}
