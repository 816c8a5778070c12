import Foundation
import Generation
import JobVocabulary
import Testing
import VisionLanguage

/// Greedy answers through the engine, against transformers on tiny checkpoints.
struct GreedyAnswerTests {
    @Test("32 tokens and their text for 8 prompts", arguments: ["hf", "small"], [1, 3, 8])
    func goldens(name: String, capacity: Int) throws {
        let questioner = try Questioner(name)
        let prompts = try questioner.prompts
        let requests = try prompts.indices.map { try questioner.request($0) }
        let answers = try questioner.engine(capacity: capacity).answers(requests)
        for (index, prompt) in prompts.enumerated() {
            let result = try #require(answers[UInt64(index)]).get()
            #expect(result.tokenIDs == prompt.token_ids)
            #expect(result.text == prompt.answer)
            #expect(result.finishReason == .length)
            #expect(!result.reusedFeatures)
            #expect(
                result.promptTokens == requests[index].prompt.text.count
                    + questioner.model.configuration.visualTokens)
        }
    }

    @Test("a token's logarithm of probability is that of the whole distribution", arguments: ["hf", "small"])
    func logProbabilities(name: String) throws {
        let questioner = try Questioner(name)
        let result = try questioner.engine().answer(questioner.request(0, maxTokens: 3))
        let logits = try GoldenPrompt.firstLogits(questioner.golden, prompt: 0).map(Double.init)
        let expected = logits[result.tokenIDs[0]] - log(logits.reduce(0) { $0 + exp($1) })
        #expect(abs(Double(result.logProbabilities[0]) - expected) < 1e-4)
        #expect(result.logProbabilities.count == 3)
        #expect(result.logProbabilities.allSatisfy { $0 <= 0 })
    }
}
