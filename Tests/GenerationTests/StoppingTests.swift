import Foundation
import Generation
import JobVocabulary
import TestSupport
import Testing
import Tokenization
import VisionLanguage

/// When an answer ends.
struct StoppingTests {
    @Test("after the asked number of tokens", arguments: [1, 2, 5])
    func maxTokens(count: Int) throws {
        let questioner = try Questioner("small")
        let result = try questioner.engine().answer(questioner.request(0, maxTokens: count))
        #expect(result.tokenIDs == Array(try questioner.prompts[0].token_ids.prefix(count)))
        #expect(result.finishReason == .length)
    }

    @Test("before a stop text, which may be made of several tokens or end inside one", arguments: [0, 2, 5])
    func stopText(prompt index: Int) throws {
        let questioner = try Questioner("small")
        let prompt = try questioner.prompts[index], tokenizer = questioner.processor.tokenizer
        let whole = tokenizer.decode(prompt.token_ids)
        for length in [1, 3, 6] {
            let stop = String(whole.dropFirst(whole.count / 2).prefix(length))
            let result = try questioner.engine().answer(questioner.request(index, stop: ["never written", stop]))
            let first = try #require(whole.range(of: stop)).lowerBound
            #expect(result.text == whole[..<first].trimmingCharacters(in: .whitespacesAndNewlines))
            #expect(result.finishReason == .stop)
            // Not a token more than it takes to write the stop text.
            let needed = try #require(
                prompt.token_ids.indices.first {
                    tokenizer.decode(prompt.token_ids.prefix($0 + 1)).contains(stop)
                })
            #expect(result.tokenIDs == Array(prompt.token_ids.prefix(needed + 1)))
        }
    }

    @Test("stop texts that are not written, and an empty one, change nothing")
    func otherStops() throws {
        let questioner = try Questioner("small")
        let result = try questioner.engine().answer(questioner.request(0, stop: ["never written", ""]))
        #expect(try result.tokenIDs == questioner.prompts[0].token_ids)
        #expect(result.finishReason == .length)
    }

    @Test("at any token that generation_config.json names")
    func endOfSequence() throws {
        let end = try Questioner("small").prompts[0].token_ids[4]
        let copy = try SmallCheckpoint(
            replacing: "\"eos_token_id\": 2", by: "\"eos_token_id\": [2, \(end)]",
            in: "generation_config.json")
        let questioner = try Questioner(directory: copy.path, golden: "small_golden")
        let expected = try questioner.prompts[0].token_ids
        let result = try questioner.engine().answer(questioner.request(0))
        let last = try #require(expected.firstIndex(of: end))
        #expect(result.tokenIDs == Array(expected[...last]))
        #expect(result.finishReason == .stop)
    }

    @Test("where the context ends, after the token that no longer has to be read", arguments: [1, 4, 7])
    func context(room: Int) throws {
        let rows = try Questioner("small").engine().answer(Questioner("small").request(0, maxTokens: 1)).promptTokens
        let copy = try SmallCheckpoint(
            replacing: "\"max_position_embeddings\": 2048", by: "\"max_position_embeddings\": \(rows + room)",
            in: "config.json")
        let questioner = try Questioner(directory: copy.path, golden: "small_golden")
        let result = try questioner.engine().answer(questioner.request(0))
        #expect(result.tokenIDs == Array(try questioner.prompts[0].token_ids.prefix(room + 1)))
        #expect(result.finishReason == .length)
    }
}

/// The checkpoint `small` with one setting changed.
private struct SmallCheckpoint {
    let path: String
    private let owner: TemporaryDirectory

    init(replacing old: String, by new: String, in file: String) throws {
        owner = try TemporaryDirectory()
        let folder = owner.file("checkpoint")
        try FileManager.default.copyItem(at: Repository.fixture("model/small"), to: folder)
        let url = folder.appendingPathComponent(file)
        let text = try String(contentsOf: url, encoding: .utf8)
        #expect(text.contains(old))
        try text.replacingOccurrences(of: old, with: new).write(to: url, atomically: false, encoding: .utf8)
        path = folder.path
    }
}
