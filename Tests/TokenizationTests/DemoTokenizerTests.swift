import Foundation
import TestSupport
import Testing
import Tokenization

@Suite struct DemoTokenizerTests {
    @Test func equalsHuggingFace() throws {
        let golden = try GoldenTexts.load("demo.json")
        #expect(golden.encodings.count > 300)
        #expect(golden.decodings.count > 300)
        let differences = try golden.differences(from: Tokenizer(directory: demoModel))
        #expect(differences == [])
    }

    @Test("tokenizer.model alone gives the ids of the tokenizer.json that was made from it")
    func tokenizerModelAloneEqualsHuggingFace() throws {
        let folder = try TemporaryDirectory()
        for name in ["tokenizer.model", "tokenizer_config.json", "added_tokens.json"] {
            try FileManager.default.copyItem(at: demoModel.appendingPathComponent(name), to: folder.file(name))
        }
        let tokenizer = try Tokenizer(directory: folder.url)
        #expect(tokenizer.file.hasSuffix("tokenizer.model"))
        #expect(try GoldenTexts.load("demo.json").differences(from: tokenizer) == [])
    }

    @Test func knowsItsMarkers() throws {
        let tokenizer = try Tokenizer(directory: demoModel)
        #expect(tokenizer.pieceCount == 640)
        #expect(tokenizer.beginning == 1)
        #expect(tokenizer.image == 640)
        #expect(tokenizer.largestID == 641)
        #expect(try tokenizer.encode("<image>", addingBeginning: false) == [640])
        #expect(try tokenizer.encode("") == [1])
    }

    @Test func threadsShareOneTokenizer() async throws {
        let tokenizer = try Tokenizer(directory: demoModel)
        let golden = try GoldenTexts.load("demo.json")
        try await withThrowingTaskGroup(of: [String].self) { group in
            for _ in 0..<8 {
                group.addTask { @concurrent in try golden.differences(from: tokenizer) }
            }
            for try await differences in group { #expect(differences == []) }
        }
    }

    @Test func aFolderWithoutAddedTokensGetsTheImageToken() throws {
        let folder = try TemporaryDirectory()
        try FileManager.default.copyItem(
            at: demoModel.appendingPathComponent("tokenizer.model"), to: folder.file("tokenizer.model"))
        let first = try Tokenizer(directory: folder.url)
        #expect(first.image == 640)
        #expect(try first.encode("<image>") == [1, 640])
        let chosen = try Tokenizer(directory: folder.url, imageID: 700)
        #expect(try chosen.encode("<image>") == [1, 700])
        #expect(chosen.decode([700, 1], skippingSpecialTokens: false) == "<image><s>")
    }

    @Test func tokenizerJSONIsReadWhereNothingElseNamesTheTokens() throws {
        let folder = try TemporaryDirectory()
        for name in ["tokenizer.model", "tokenizer.json"] {
            try FileManager.default.copyItem(at: demoModel.appendingPathComponent(name), to: folder.file(name))
        }
        let tokenizer = try Tokenizer(directory: folder.url)
        #expect(try tokenizer.encode("<image><pad>") == [1, 640, 641])
    }
}
