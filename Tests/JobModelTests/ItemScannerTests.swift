import Foundation
import JobModel
import Testing

/// The quick way through a manifest line agrees with a general decoder wherever it answers.
@Suite struct ItemScannerTests {
    /// What a general JSON decoder makes of a line.
    private struct Plain: Decodable {
        let id, prompt: String
        let image: String?
        let images: [String]?
        let answers: [String]?
        let labels: [String: String]?
        let maxTokens: Int?

        enum CodingKeys: String, CodingKey {
            case id, image, images, prompt, answers, labels
            case maxTokens = "max_tokens"
        }
    }

    private func expectAgreement(_ line: String) {
        let plain = try? JSONDecoder().decode(Plain.self, from: Data(line.utf8))
        guard let item = try? Item(json: line) else {
            // Stricter than the decoder alone, since there are rules for items.
            return
        }
        let images = plain?.images ?? [plain?.image].compactMap(\.self)
        #expect(plain?.id == item.id.rawValue && images == item.images && plain?.prompt == item.prompt, "\(line)")
        #expect(plain?.answers ?? [] == item.answers && plain?.labels ?? [:] == item.labels, "\(line)")
        #expect(plain?.maxTokens == item.maxTokens, "\(line)")
    }

    @Test(arguments: [
        #"{"id":"a","image":"b.jpg","prompt":"What?"}"#,
        #" { "prompt" : "Wie heißt das?" , "id" : "ä/1" , "image" : "x/y z.png" } "#,
        #"{"id":"\u00e4\ud83d\ude00","image":"a.jpg","prompt":"\"q\" \\ \/ \b\f\n\r\t"}"#,
        #"{"id":"a","image":"b","prompt":"c","answers":["x","y\n"],"labels":{"k":"v","":"w"},"max_tokens":7}"#,
        #"{"id":"a","image":"b","prompt":"c","answers":[],"labels":{},"max_tokens":1}"#,
        #"{"id":"a","image":"./b/../c","prompt":"c","max_tokens":   12 }"#,
        #"{"id":"a","image": null ,"prompt":"c"}"#, #"{"id":"a","prompt":"c","image":null}"#,
        #"{"id":"a","images":["b.jpg","c/d.png"],"prompt":"c"}"#, #"{"id":"a","images":[],"prompt":"c"}"#,
    ])
    func plainLinesAreTaken(line: String) throws {
        _ = try Item(json: line)
        expectAgreement(line)
    }

    @Test(arguments: [
        "", "{}", "[]", #"{"id":"a"}"#, #"{"id":"a","image":"b","prompt":""}"#,
        #"{"id":"a","image":"../b","prompt":"c"}"#,
        #"{"id":"a","image":"/b","prompt":"c"}"#, #"{"id":"a","image":"b","prompt":"c","extra":1}"#,
        #"{"id":"a\u0000","image":"b","prompt":"c"}"#, #"{"id":"a","image":"b","prompt":"c","max_tokens":0}"#,
        #"{"id":"a","image":"b","prompt":"c"} x"#, #"{"id":"a","image":"b","prompt":"c","labels":{"k":1}}"#,
        #"{"id":"\ud83d","image":"b","prompt":"c"}"#, #"{"id":"a","image":"b","prompt":"c""#,
        "{\"id\":\"a\",\"image\":\"b\",\"prompt\":\"c\nd\"}", #"{"id":5,"image":"b","prompt":"c"}"#,
        #"{"id":"a","image":"b","prompt":"c","max_tokens":99999999999999999999}"#,
        #"{"id":" \t","image":"b","prompt":"c"}"#, #"{"id":"\q","image":"b","prompt":"c"}"#,
        #"{"id":"a","prompt":"c"}"#, #"{"id":"a","image":"","prompt":"c"}"#, #"{"id":"a","image":nul,"prompt":"c"}"#,
        #"{"id":"a","image":nullx,"prompt":"c"}"#, #"{"id":"a","image":"null,"prompt":"c"}"#,
        #"{"id":null,"image":"b","prompt":"c"}"#, #"{"id":"a","image":false,"prompt":"c"}"#,
        #"{"id":"a","image":"b","images":["c"],"prompt":"d"}"#, #"{"id":"a","images":"b","prompt":"d"}"#,
        #"{"id":"a","images":["b",""],"prompt":"d"}"#, #"{"id":"a","images":["../b"],"prompt":"d"}"#,
        #"{"id":"a","images":["b",null],"prompt":"d"}"#, #"{"id":"a","images":null,"prompt":"d"}"#,
    ])
    func whatIsWrongIsRefusedWithWords(line: String) {
        #expect { _ = try Item(json: line) } throws: { !"\($0)".isEmpty && ($0 as? JobModelError)?.code == .badItem }
    }

    @Test(arguments: [
        #"{"id":"ä1","image":"p/i.jpg","prompt":"a\u00e9\n","answers":["x"],"labels":{"k":"v"},"max_tokens":31}"#,
        #"{"id":"ä1","image":null,"prompt":"a\u00e9\n","answers":["x"],"labels":{"k":"v"},"max_tokens":31}"#,
        #"{"id":"ä1","images":["a.jpg","b"],"prompt":"a\u00e9\n","answers":["x"],"max_tokens":31}"#,
    ])
    func damagedLinesAreReadAlikeOrRefused(line: String) {
        var random = SystemRandomNumberGenerator()
        let alphabet = Array(#"{}[]",:\un0123 ae"#)
        for _ in 0..<20_000 {
            var text = Array(line)
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = text.indices.randomElement(using: &random) ?? 0
                switch Int.random(in: 0..<3, using: &random) {
                case 0: text[place] = alphabet.randomElement(using: &random) ?? "x"
                case 1: text.remove(at: place)
                default: text.insert(alphabet.randomElement(using: &random) ?? "x", at: place)
                }
            }
            expectAgreement(String(text))
        }
    }
}
