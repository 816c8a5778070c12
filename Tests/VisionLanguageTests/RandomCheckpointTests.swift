import Foundation
import Testing
import VisionLanguage

/// Checkpoints of random weights, which loading is tried with.
struct RandomCheckpointTests {
    @Test("what is written loads as a model of the asked sizes")
    func roundTrip() throws {
        let copy = try CheckpointCopy(of: Golden.all[1])
        let asked = try LLaVAConfiguration(directory: copy.path)
        let folder = copy.folder.appendingPathComponent("random")
        let count = try RandomCheckpoint.write(asked, to: folder.path, shardBytes: 40_000)
        #expect(count == copy.tensors.count)
        let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
        #expect(files.count { $0.hasSuffix(".safetensors") } > 3)

        for name in ["tokenizer.model", "added_tokens.json", "tokenizer_config.json"] {
            try FileManager.default.copyItem(
                at: copy.folder.appendingPathComponent(name), to: folder.appendingPathComponent(name))
        }
        let greedy = try CheckpointCopy.load(folder.path)
        #expect(greedy.model.configuration == asked)
        let input = try greedy.prompt(Golden.all[1].prompts()[0])
        let answer = try greedy.answer([input], plans: [greedy.plan()], tokens: 2)[0]
        #expect(answer.logits.allSatisfy { $0.isFinite })
        #expect(Set(answer.logits).count > 600)
    }

    @Test("a folder that exists is left alone")
    func existing() throws {
        let copy = try CheckpointCopy(of: Golden.all[1])
        let configuration = try LLaVAConfiguration(directory: copy.path)
        let error = try #require(throws: ModelError.self) {
            try RandomCheckpoint.write(configuration, to: copy.path, shardBytes: 1_000_000)
        }
        #expect(error.message.contains(copy.path))
    }
}
