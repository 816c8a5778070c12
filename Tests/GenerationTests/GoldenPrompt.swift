import Foundation
import HDF5
import TestSupport

/// A prompt of a tiny checkpoint with transformers' greedy answer (Tests/Fixtures/README.md).
struct GoldenPrompt: Decodable, Sendable {
    let image: String
    let image_mode: String
    let template: String
    let question: String
    let prompt: String
    let token_ids: [Int]
    let answer: String

    /// The eight prompts of `golden` (the checkpoint `hf`) or `small_golden` (`small`).
    static func all(_ name: String) throws -> [GoldenPrompt] {
        struct File: Decodable { let prompts: [GoldenPrompt] }
        let data = try Data(contentsOf: Repository.fixture("model/\(name).json"))
        return try JSONDecoder().decode(File.self, from: data).prompts
    }

    /// The logits after a prompt.
    static func firstLogits(_ name: String, prompt: Int) throws -> [Float] {
        try File.reading(Repository.fixture("model/\(name).h5").path) { file in
            try file.root.dataset("last_logits/\(prompt)").read(Float.self)
        }
    }
}
