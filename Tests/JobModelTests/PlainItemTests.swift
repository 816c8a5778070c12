import Foundation
import JobModel
import TestSupport
import Testing

/// Lines of the usual form take a short way through the reader; what comes out must be what JSON says.
struct PlainItemTests {
    private static let texts = [
        "a", "What colour is the ring?", "naïve café", "日本語", "👩‍🚀 e\u{301}", " x ", "quote \" here", "back\\slash",
        "tab\there",
        "line\nfeed", "{\"id\":\"x\"}", "null", "/", "a,b:c}", "\u{7F}\u{80}\u{2028}", "0", "\u{FEFF}",
    ]

    @Test func whateverTheTextsAreTheyComeOutUnchanged() throws {
        var random = SeededGenerator(seed: 1)
        for _ in 0..<2_000 {
            func text() -> String { Self.texts[Int.random(in: 0..<Self.texts.count, using: &random)] + "." }
            let item = ["id": text(), "image": "p" + text(), "prompt": text()]
            let options: [JSONSerialization.WritingOptions] = [[], [.sortedKeys], [.prettyPrinted]]
            let data = try JSONSerialization.data(
                withJSONObject: item, options: options[Int.random(in: 0..<3, using: &random)])
            let read = try Item(json: String(decoding: data, as: UTF8.self))
            #expect(read.id.rawValue == item["id"] && read.images == [item["image"]] && read.prompt == item["prompt"])
            #expect(read.maxTokens == nil && read.answers.isEmpty && read.labels.isEmpty)
        }
    }

    @Test func lengthsOfAnswersAreRead() throws {
        for (text, tokens) in [
            ("1", 1), (" 64 ", 64), ("999999999", 999_999_999), ("1000000000000", 1_000_000_000_000),
        ] {
            #expect(try Item(json: #"{"max_tokens":\#(text),"id":"a","image":"b","prompt":"c"}"#).maxTokens == tokens)
        }
        for text in ["0", "-1", "01", "1.5", "\"1\"", "", "1e2x", "+1"] {
            #expect(throws: JobModelError.self) {
                try Item(json: #"{"id":"a","image":"b","prompt":"c","max_tokens":\#(text)}"#)
            }
        }
    }

    @Test func damagedLinesAreNeverReadOtherwiseThanJSONReadsThem() throws {
        var random = SeededGenerator(seed: 2)
        let line = Array(#"{"id":"item-1","image":"cat.jpg","prompt":"What is it?","max_tokens":64}"#.utf8)
        let signs = Array("{}[]\",:\\ u0019ntidmage.\u{0}\u{1F}é".utf8)
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = line
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                let sign = signs[Int.random(in: 0..<signs.count, using: &random)]
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = sign
                case 1: bytes.insert(sign, at: place)
                default: bytes.remove(at: place)
                }
            }
            guard let text = String(validating: bytes, as: UTF8.self), let item = try? Item(json: text) else {
                continue
            }
            accepted += 1
            let object = try #require(try JSONSerialization.jsonObject(with: Data(bytes)) as? [String: Any], "\(text)")
            #expect(
                object["id"] as? String == item.id.rawValue && [object["image"] as? String] == item.images, "\(text)")
            #expect(
                object["prompt"] as? String == item.prompt && object["max_tokens"] as? Int == item.maxTokens, "\(text)")
        }
        #expect(accepted > 1_000)
    }

    @Test(arguments: [
        #"{"id":"a","image":"c"}"#, #"{"id":" ","image":"c","prompt":"d"}"#,
        #"{"id":"a","image":"../c","prompt":"d"}"#, #"{"id":"a","image":"c","prompt":"d"} x"#,
        #"{"id":"a","image":"c","prompt":"d",}"#, "\u{FEFF}" + #"{"id":"a","image":"c","prompt":"d"}"#,
        #"{"id":"a","image":"c","prompt":"d","answers":["e", ]}"#, #"{"id":"a","image":"https://x.y/c","prompt":"d"}"#,
        #"{"id":"a","image":"c","prompt":"d","colour":"e"}"#, #"["id"]"#, "{}", "{", "",
    ])
    func whatWasRefusedIsRefused(_ line: String) {
        #expect(throws: JobModelError.self) { try Item(json: line) }
    }
}
