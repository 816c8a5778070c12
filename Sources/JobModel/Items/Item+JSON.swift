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
