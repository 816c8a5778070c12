import Foundation
import TestSupport
import Testing
import Tokenization

/// Every form of tokenizer.json against Hugging Face's tokenizers (Tests/Fixtures/tokenizer/make_tokenizer_json.py).
@Suite struct TokenizerFormTests {
    @Test(arguments: ["legacy", "first", "always", "never", "no_prefix", "fused_unknown", "unknown"])
    func sentencePieceEqualsHuggingFace(_ form: String) throws {
        let folder = try TokenizerFolder(form: form)
        let golden = try GoldenTexts.load("\(form).json")
        #expect(golden.encodings.count > 130 && golden.decodings.count >= 180)
        let tokenizer = try folder.load()
        #expect(try golden.differences(from: tokenizer) == [])
        #expect(tokenizer.beginning == (form == "no_prefix" ? nil : 1))
        #expect(tokenizer.file.hasSuffix("tokenizer.json") && tokenizer.pieceCount == 640)
    }

    @Test(arguments: [("llama3", 700, 704), ("qwen2", nil, 703)] as [(String, Int?, Int)])
    func byteLevelEqualsHuggingFace(_ name: String, beginning: Int?, image: Int) throws {
        let tokenizer = try Tokenizer(directory: Repository.fixture("tokenizer/\(name)"))
        let golden = try GoldenTexts.load("\(name).json")
        #expect(golden.encodings.count > 190 && golden.decodings.count == 300)
        #expect(try golden.differences(from: tokenizer) == [])
        #expect(tokenizer.beginning == beginning && tokenizer.image == image)
    }

    @Test("tokenizer.json counts before a tokenizer.model beside it")
    func tokenizerJSONCounts() throws {
        let folder = try TokenizerFolder(form: "first")
        try FileManager.default.copyItem(
            at: demoModel.appendingPathComponent("tokenizer.model"), to: folder.folder.file("tokenizer.model"))
        let both = try folder.load()
        #expect(both.file.hasSuffix("tokenizer.json"))
        #expect(try both.encode("<image>Hi") != Tokenizer(directory: demoModel).encode("<image>Hi"))
    }

    /// Answers are decoded while they grow, and a character may have come only in part.
    @Test(arguments: ["llama3", "qwen2"])
    func beginningsOfAnswersAreTexts(_ name: String) throws {
        let tokenizer = try Tokenizer(directory: Repository.fixture("tokenizer/\(name)"))
        let text = "caf\u{e9} \u{1F468}\u{200D}\u{1F469} \u{65E5}\u{672C}"
        let ids = try tokenizer.encode(text, addingBeginning: false)
        for count in 0...ids.count {
            let start = tokenizer.decode(ids.prefix(count))
            let whole = start.unicodeScalars.prefix { $0 != "\u{FFFD}" }
            #expect(text.unicodeScalars.starts(with: whole))
        }
        #expect(tokenizer.decode(ids) == text)
    }

    /// One run of a hundred thousand characters is merged in far less than the minutes of a quadratic method.
    @Test(.timeLimit(.minutes(1)), arguments: ["legacy", "first"])
    func longTextsAreMergedInTime(_ form: String) throws {
        let tokenizer = try TokenizerFolder(form: form).load()
        let text = String(repeating: "the red bus and the dog ", count: 4200)
        let ids = try tokenizer.encode(text)
        #expect(tokenizer.decode(ids) == text && ids.count > 4200)
    }

    @Test("texts that Swift takes for equal are different pieces")
    func canonicallyEquivalentPieces() throws {
        let folder = try TokenizerFolder(form: "legacy")
        let raw = #""normalizer":null,"pre_tokenizer":null,"#
        let decoder = #""decoder":{"type":"Fuse"},"added_tokens":[],"model":{"type":"BPE","vocab":"#
        let pieces = #"{"</s>":0,"<s>":1,"<unk>":2,"\u2126":3,"\u03a9":4,"e":5,"\u0301":6,"\u00e9":7,"e\u0301":8}"#
        try folder.write("{\(raw)\(decoder)\(pieces),\"merges\":[\"e \u{301}\"]}}")
        try folder.write(#"{"tokenizer_class": "LlamaTokenizer"}"#, to: "tokenizer_config.json")
        let tokenizer = try folder.load()
        #expect(try tokenizer.encode("\u{2126}\u{03a9}\u{e9}e\u{301}") == [1, 3, 4, 7, 8])
    }

    @Test("tokens of templates are cut as added tokens", arguments: ["llama3", "qwen2"])
    func tokensOfTemplates(_ name: String) throws {
        let tokenizer = try Tokenizer(directory: Repository.fixture("tokenizer/\(name)"))
        let prompt = name == "llama3" ? "<|start_header_id|>user<|eot_id|>" : "<|im_start|>user<|im_end|>"
        let ids = try tokenizer.encode(prompt, addingBeginning: false)
        #expect(ids.first == 701 && ids.last == (name == "llama3" ? 703 : 702))
        #expect(tokenizer.decode(ids) == "user")
    }
}
