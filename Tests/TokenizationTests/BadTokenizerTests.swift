import Foundation
import TestSupport
import Testing
import Tokenization

@Suite struct BadTokenizerTests {
    private let model: [UInt8]

    init() throws {
        model = [UInt8](try Data(contentsOf: demoModel.appendingPathComponent("tokenizer.model")))
    }

    /// The error of loading a folder with these files; nil where it loads.
    private func failure(_ files: [String: [UInt8]], imageID: Int? = nil) throws -> TokenizerError? {
        let folder = try TemporaryDirectory()
        for (name, bytes) in files { try Data(bytes).write(to: folder.file(name)) }
        do {
            _ = try Tokenizer(directory: folder.url, imageID: imageID)
            return nil
        } catch {
            return error
        }
    }

    @Test func filesThatAreNoModel() throws {
        #expect(try failure([:])?.code == .unreadable)
        #expect(try failure(["tokenizer.model": []])?.code == .damaged)
        #expect(try failure(["tokenizer.model": Array("version https://git-lfs".utf8)])?.code == .damaged)
        #expect(try failure(["tokenizer.model": Array("x".utf8)])?.description.hasSuffix("/tokenizer.model") == true)
    }

    @Test func cutAndChangedModelsNeverTrap() throws {
        var random = SeededGenerator(seed: 99)
        var refused = 0
        for _ in 0..<150 {
            var bytes = model
            if random.below(2) == 0 {
                bytes.removeLast(1 + random.below(bytes.count - 1))
            } else {
                for _ in 0...random.below(4) { bytes[random.below(bytes.count)] = UInt8(random.below(256)) }
            }
            let folder = try TemporaryDirectory()
            try Data(bytes).write(to: folder.file("tokenizer.model"))
            do {
                let tokenizer = try Tokenizer(directory: folder.url)
                let ids = try tokenizer.encode("What is this? \u{1F600}")
                #expect(tokenizer.decode(ids + [-1, 9999]).count < 1000)
            } catch {
                #expect(error.message.contains(";"))
                refused += 1
            }
        }
        #expect(refused > 50)
    }

    @Test func addedTokensMustAgree() throws {
        func failure(_ name: String, _ json: String, imageID: Int? = nil) throws -> TokenizerError? {
            try self.failure(["tokenizer.model": model, name: Array(json.utf8)], imageID: imageID)
        }
        #expect(try failure("added_tokens.json", #"{"<image>": 640}"#)?.code == nil)
        #expect(try failure("added_tokens.json", #"{"<image>": 640}"#, imageID: 641)?.code == .vocabularyMismatch)
        #expect(try failure("added_tokens.json", #"{"<image>": 640, "<pad>": 640}"#)?.code == .damaged)
        #expect(try failure("added_tokens.json", #"{"<image>": 7}"#)?.code == .damaged)
        #expect(try failure("added_tokens.json", #"{"<image>": 9223372036854775807}"#)?.code == .damaged)
        #expect(try failure("added_tokens.json", #"{"<image>": "#)?.code == .damaged)
        #expect(
            try failure("tokenizer_config.json", #"{"added_tokens_decoder": {"a": {"content": "x"}}}"#)?.code
                == .damaged)
        #expect(
            try failure(
                "tokenizer_config.json", #"{"added_tokens_decoder": {"640": {"content": "x", "lstrip": true}}}"#
            )?.code == .unsupported)
        #expect(try self.failure(["tokenizer.model": model], imageID: 5)?.code == .vocabularyMismatch)
    }

    @Test func theVocabularyMustReachAllIDs() throws {
        let tokenizer = try Tokenizer(directory: demoModel)
        try tokenizer.check(embeddingRows: 642)
        let error = #expect(throws: TokenizerError.self) { try tokenizer.check(embeddingRows: 641) }
        #expect(error?.code == .vocabularyMismatch)
        #expect(error?.description.hasPrefix("the tokenizer doesn't match the vocabulary") == true)
        #expect(error?.description.hasSuffix("/tokenizer.json") == true)
    }
}
