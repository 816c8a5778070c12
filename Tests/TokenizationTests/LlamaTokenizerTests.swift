import Foundation
import JobModel
import TestSupport
import Testing
import Tokenization

/// The real vocabulary of LLaVA-1.5, where the file is at hand.
@Suite(.enabled(if: llamaTokenizer != nil, "needs shared/data/llama2-tokenizer.model beside the checkout"))
struct LlamaTokenizerTests {
    let folder: TemporaryDirectory
    let tokenizer: Tokenizer

    init() throws {
        let source = try #require(llamaTokenizer)
        folder = try TemporaryDirectory()
        try FileManager.default.copyItem(at: source, to: folder.file("tokenizer.model"))
        try Data(#"{"<image>": 32000, "<pad>": 32001}"#.utf8).write(to: folder.file("added_tokens.json"))
        tokenizer = try Tokenizer(directory: folder.url, imageID: 32_000)
    }

    @Test func equalsHuggingFace() throws {
        let differences = try GoldenTexts.load("llama2.json").differences(from: tokenizer)
        #expect(differences == [])
    }

    @Test(arguments: [
        (
            "USER: <image>\nWhat is this? ASSISTANT:",
            [
                1, 3148, 1001, 29901, 29871, 32000, 29871, 13, 5618, 338, 445, 29973, 319, 1799, 9047, 13566, 29901,
            ]
        ),
        ("<image>\nHi", [1, 32000, 29871, 13, 18567]),
        ("USER: <image> \nWhat", [1, 3148, 1001, 29901, 29871, 32000, 259, 13, 5618]),
        ("USER: <image>What", [1, 3148, 1001, 29901, 29871, 32000, 1724]),
        ("", [1]),
        (" ", [1, 259]),
    ])
    func encodesTheKnownPrompts(_ text: String, _ ids: [Int]) throws {
        #expect(try tokenizer.encode(text) == ids)
    }

    @Test func encodesTheVicunaPrompt() throws {
        #expect(
            try tokenizer.encode(PromptTemplate.vicunaV1.render("What is this?").text) == [
                1, 319, 13563, 1546, 263, 12758, 1404, 322, 385, 23116, 21082, 20255, 29889, 450, 20255, 4076, 8444,
                29892,
                13173, 29892, 322, 1248, 568, 6089, 304, 278, 1404, 29915, 29879, 5155, 29889, 3148, 1001, 29901, 29871,
                32000, 29871, 13, 5618, 338, 445, 29973, 319, 1799, 9047, 13566, 29901,
            ])
    }
}
