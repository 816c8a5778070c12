import Foundation
import Generation
import JobModel
import Tensors
import TestSupport
import Testing
import TokenReduction
import VisionLanguage

/// Text-only prompts: as transformers answers them, alone and beside prompts with pictures.
struct TextAloneTests {
    struct Prompt: Decodable {
        let template: String
        let question: String
        let prompt_token_ids: [Int]
        let token_ids: [Int]
        let last_logits: [Double]
    }

    private func prompts() throws -> [Prompt] {
        struct File: Decodable { let prompts: [Prompt] }
        let data = try Data(contentsOf: Repository.fixture("model/text_golden.json"))
        return try JSONDecoder().decode(File.self, from: data).prompts
    }

    /// The request for a prompt; whatever the method, there is nothing to reduce.
    private func request(
        _ prompt: Prompt, _ questioner: Questioner, id: UInt64, method: String = "none", keep: Int? = nil
    ) throws -> GenerationRequest {
        let template = try #require(PromptTemplate(rawValue: prompt.template))
        let input = try questioner.processor.prompt(prompt.question, template: template, pictures: 0)
        #expect(input.before == prompt.prompt_token_ids && input.after.isEmpty && input.pictures == 0)
        return GenerationRequest(
            id: id, prompt: input, pictures: [], plan: try questioner.plan(method, keep: keep),
            sampling: .greedy, maxTokens: prompt.token_ids.count, keepsTowerFeatures: true)
    }

    private func check(_ result: GenerationResult, _ prompt: Prompt) {
        #expect(result.tokenIDs == prompt.token_ids)
        let total = prompt.last_logits.reduce(0) { $0 + exp($1) }
        let expected = prompt.last_logits[prompt.token_ids[0]] - log(total)
        #expect(abs(Double(result.logProbabilities[0]) - expected) < 1e-3)
        #expect(result.promptTokens == prompt.prompt_token_ids.count)
        #expect(result.features.rows == 0 && result.towerFeatures == nil)
        #expect(result.trace.kept.isEmpty && result.trace.leftAt.isEmpty && result.trace.steps.isEmpty)
        #expect(result.flops.vision == 0 && result.flops.projector == 0)
        #expect(result.flops.prefill > 0 && result.flops.decode > 0)
        #expect(!result.reusedFeatures && !result.reusedPrefix)
    }

    @Test("alone, as transformers answers", arguments: [true, false])
    func alone(cpu: Bool) throws {
        let questioner = try Questioner(
            "hf", backend: cpu ? CPUBackend(precision: .float32, threads: 2) : PortableBackend(type: .float64))
        let prompts = try prompts(), engine = questioner.engine(capacity: 1)
        #expect(Set(prompts.map(\.template)).count == 3)
        for (index, prompt) in prompts.enumerated() {
            check(try engine.answer(request(prompt, questioner, id: UInt64(index))), prompt)
        }
    }

    @Test(
        "among prompts with pictures, whatever reduces those",
        arguments: ["none", "ficoco-v", "ficoco-l", "ficoco-vl", "holov", "pyramiddrop", "prumerge"])
    func mixed(method: String) throws {
        let questioner = try Questioner("hf")
        let keep = method == "none" ? nil : 96
        let prompts = try prompts()
        let pictured = try (0..<4).map {
            try questioner.request($0, id: UInt64(100 + $0), method: method, keep: keep, key: "picture \($0)")
        }
        let texts = try prompts.enumerated().map { index, prompt in
            try request(prompt, questioner, id: UInt64(index), method: method, keep: keep)
        }
        let order = [texts[0], pictured[0], texts[1], texts[2], pictured[1], pictured[2]] + texts[3...] + [pictured[3]]
        let answers = try questioner.engine(capacity: order.count).answers(order)
        for (index, prompt) in prompts.enumerated() {
            check(try #require(answers[UInt64(index)]).get(), prompt)
        }
        for request in pictured {
            let among = try #require(answers[request.id]).get()
            let alone = try questioner.engine().answer(request)
            #expect(among.tokenIDs == alone.tokenIDs)
            #expect(among.trace.kept == alone.trace.kept)
            #expect(among.flops == alone.flops)
        }
    }

    @Test("an <image> without a picture is refused", arguments: PromptTemplate.allCases)
    func imageWithoutPicture(template: PromptTemplate) throws {
        let questioner = try Questioner("small")
        let error = try #require(throws: ModelError.self) {
            try questioner.processor.prompt("What does <image> show?", template: template, pictures: 0)
        }
        #expect(error.code == .malformedPrompt && error.message.contains("<image>"))
    }
}
