import Foundation
import TestSupport
import Testing
import Tokenization

/// CLIP's tokenizer on a tiny vocabulary, against transformers' fast one (Tests/Fixtures/clip).
struct CLIPTokenizerTests {
    static let folder = Repository.fixture("clip/model")

    @Test func equalsHuggingFace() throws {
        struct Golden: Decodable {
            struct Encoding: Decodable {
                let text: String
                let ids: [Int]
            }
            let tokenizer: [Encoding]
        }
        let tokenizer = try CLIPTokenizer(directory: Self.folder)
        let golden = try JSONDecoder().decode(
            Golden.self, from: Data(contentsOf: Repository.fixture("clip/clip_goldens.json")))
        #expect(golden.tokenizer.count > 50)
        for (text, ids) in golden.tokenizer.map({ ($0.text, $0.ids) }) {
            #expect(tokenizer.encode(text) == ids, "\(text.debugDescription)")
        }
        #expect(tokenizer.vocabularySize == 674)
    }

    @Test func cutsLongTextsIntoPieces() throws {
        let tokenizer = try CLIPTokenizer(directory: Self.folder)
        for count in [0, 73, 74, 75, 76, 77, 151, 152, 153, 400] {
            let text = String(repeating: "a ", count: count)
            let pieces = tokenizer.encode(text, inPiecesOf: 77)
            #expect(pieces.flatMap(\.self) == tokenizer.encode(text))
            #expect(pieces.count == (count + 2 + 76) / 77)
            #expect(pieces.dropLast().allSatisfy { $0.count == 77 })
            #expect(pieces.first?.first == tokenizer.beginning)
            #expect(pieces.last?.last == tokenizer.end)
        }
    }

    /// What goes wrong with a folder of these files; nil where a file is left as it is.
    private func failure(vocabulary: String? = nil, merges: String? = nil) throws -> TokenizerError? {
        let folder = try TemporaryDirectory()
        for (name, text) in [("vocab.json", vocabulary), ("merges.txt", merges)] {
            let original = try Data(contentsOf: Self.folder.appendingPathComponent(name))
            try (text.map { Data($0.utf8) } ?? original).write(to: folder.file(name))
        }
        do {
            _ = try CLIPTokenizer(directory: folder.url)
            return nil
        } catch {
            return error
        }
    }

    @Test func filesThatAreNone() throws {
        #expect(try failure()?.code == nil)
        #expect(try failure(vocabulary: "[1]")?.code == .damaged)
        #expect(try failure(vocabulary: #"{"a": "b"}"#)?.code == .damaged)
        #expect(try failure(vocabulary: #"{"<|startoftext|>": -1, "<|endoftext|>": 2}"#)?.code == .damaged)
        #expect(try failure(vocabulary: #"{"<|startoftext|>": 1}"#)?.code == .unsupported)
        #expect(try failure(merges: "#version: 0.2\nt h\nq \u{e9} x\n")?.code == .damaged)
        let unknown = try #require(try failure(merges: "#version: 0.2\nzz qq\n"))
        #expect(
            unknown.code == .damaged && unknown.description.hasPrefix("line 2") && unknown.file.hasSuffix("merges.txt"))
        let empty = try TemporaryDirectory()
        let missing = try #require(throws: TokenizerError.self) { try CLIPTokenizer(directory: empty.url) }
        #expect(missing.code == .unreadable && missing.file.hasSuffix("vocab.json"))
    }
}
