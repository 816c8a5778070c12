import Foundation
import TestSupport
import Tokenization

/// What Hugging Face's tokenizer makes of texts and ids, from Tests/Fixtures/tokenizer/make_tokenizer_goldens.py.
struct GoldenTexts: Decodable {
    struct Encoding: Decodable {
        var text: String
        var ids: [Int]
    }

    struct Decoding: Decodable {
        var ids: [Int]
        /// Without special tokens.
        var plain: String
        /// With special tokens.
        var full: String
    }

    var encodings: [Encoding]
    var decodings: [Decoding]

    static func load(_ name: String) throws -> GoldenTexts {
        try JSONDecoder().decode(GoldenTexts.self, from: Data(contentsOf: Repository.fixture("tokenizer/\(name)")))
    }

    /// The texts that differ, in words; empty when all is well. String's `==` takes é and é for equal, so scalars count.
    func differences(from tokenizer: Tokenizer) throws -> [String] {
        var found: [String] = []
        for golden in encodings {
            let ids = try tokenizer.encode(golden.text)
            if ids != golden.ids { found.append("\(golden.text.debugDescription): \(ids), not \(golden.ids)") }
        }
        for golden in decodings {
            for (skipping, text) in [(true, golden.plain), (false, golden.full)] {
                let decoded = tokenizer.decode(golden.ids, skippingSpecialTokens: skipping)
                if Array(decoded.utf8) != Array(text.utf8) {
                    found.append("\(golden.ids): \(decoded.debugDescription), not \(text.debugDescription)")
                }
            }
        }
        return found
    }
}

/// The folder of the demo checkpoint.
let demoModel = Repository.root.appendingPathComponent("Jobs/demo/model")

/// Llama 2's tokenizer.model, which may not be part of the repository.
let llamaTokenizer: URL? = Repository.shared.map { $0.appendingPathComponent("data/llama2-tokenizer.model") }
    .flatMap { FileManager.default.fileExists(atPath: $0.path) ? $0 : nil }
