import Foundation
import ImageDecoding
import JobModel
import JobVocabulary
import Tensors
import TestSupport
import Testing
import TokenReduction
import VisionLanguage

/// Prompts about several pictures, in any place among the text.
struct SeveralPicturesTests {
    /// What transformers makes of one (Tests/Fixtures/README.md).
    struct Case: Decodable {
        let model: String
        let prompt: String
        let pictures: [Int]
        let prompt_token_ids: [Int]
        let rows: Int
        let token_ids: [Int]
        let last_logits: [Double]

        static func all() throws -> [Case] {
            struct File: Decodable { let prompts: [Case] }
            let data = try Data(contentsOf: Repository.fixture("model/pictures_golden.json"))
            return try JSONDecoder().decode(File.self, from: data).prompts
        }
    }

    private func greedy(_ model: String, _ backend: any Backend) throws -> GreedyModel {
        try GreedyModel(directory: Repository.fixture("model/\(model)").path, backend: backend)
    }

    private func tiles(_ pictures: [Int], _ greedy: GreedyModel, _ plan: ReductionPlan) throws -> [EncodedTile] {
        try greedy.model.encode(
            pictures.map { number in
                TileRequest(
                    patches: try greedy.processor.prepare(
                        path: Repository.fixture("model/images/picture-\(number).png").path, framing: .crop
                    ).tiles[0].patches, plan: plan)
            })
    }

    @Test("f32 logits and 16 greedy tokens are those of transformers", arguments: GoldenTests.backends.indices)
    func answers(backend: Int) throws {
        let cases = try Case.all()
        #expect(cases.count >= 12 && Set(cases.map(\.pictures.count)) == [1, 2, 3])
        for model in Set(cases.map(\.model)) {
            let greedy = try greedy(model, GoldenTests.backends[backend]()), plan = try greedy.plan()
            let own = cases.filter { $0.model == model }
            let inputs = try own.map { pick in
                let prompt = try greedy.processor.prompt(
                    pick.prompt, template: .none, pictures: pick.pictures.count)
                let image = greedy.model.configuration.imageToken
                #expect(
                    prompt.expanded(imageToken: image, rows: pick.pictures.map { _ in 1 })
                        == pick.prompt_token_ids)
                return DecoderInput(prompt, try tiles(pick.pictures, greedy, plan), plan: plan)
            }
            // Long prompts one by one, short ones as one ragged batch.
            let batches = model == "small" ? [inputs] : inputs.map { [$0] }
            let answers = try batches.flatMap { try greedy.answer($0, tokens: 16) }
            for (pick, answer) in zip(own, answers) {
                #expect(answer.sequence.promptTokens == pick.rows)
                #expect(relativeError(answer.logits, pick.last_logits) < 1e-4, "\(pick.prompt)")
                #expect(answer.ids == pick.token_ids, "\(pick.prompt)")
            }
        }
    }

    @Test("a template puts every picture on a line of its own before the text")
    func template() throws {
        let processor = try greedy("small", CPUBackend(precision: .float32, threads: 1)).processor
        let given = try processor.prompt("What differs?", template: .hf, pictures: 2)
        let whole = try processor.prompt(
            "USER: <image>\n<image>\nWhat differs? ASSISTANT:", template: .none, pictures: 2)
        #expect(given.parts == whole.parts && given.pictures == 2)
        #expect(given.question == "What differs?")
        let placed = try processor.prompt("Is <image> left of <image>?", template: .hf, tag: .place, pictures: 2)
        #expect(placed.parts.count == 5)
    }

    @Test("as many <image> as pictures, or a word about it")
    func mismatches() throws {
        for (ids, pictures, word) in [
            ([1, 640, 5], 2, "1 <image> and 2 pictures"), ([1, 640, 640, 5], 1, "2 <image> and one picture"),
            ([1, 5], 2, "no <image>"), ([1, 640], 0, "there is no picture"), ([640, 640, 640], 2, "3 <image>"),
        ] {
            let error = #expect(throws: ModelError.self) {
                try MultimodalPrompt(ids: ids, imageToken: 640, pictures: pictures, visualTokens: 16)
            }
            #expect(error?.message.contains(word) == true)
        }
        // One id for each visual token: of two pictures side by side, and with text between.
        let wide = [Int](repeating: 640, count: 16)
        let pair = try MultimodalPrompt(ids: wide + wide + [3], imageToken: 640, pictures: 2, visualTokens: 16)
        #expect(pair.parts == [.picture(0), .picture(1), .text([3])])
        let apart = try MultimodalPrompt(ids: wide + [7] + wide, imageToken: 640, pictures: 2, visualTokens: 16)
        #expect(apart.parts == [.picture(0), .text([7]), .picture(1)])
        #expect(throws: ModelError.self) {
            try MultimodalPrompt(
                ids: wide.dropLast() + [7, 640] + wide, imageToken: 640, pictures: 2, visualTokens: 16)
        }
    }

    /// Each picture keeps as many tokens as a picture alone would; the tower decides the same for it as if it were alone.
    @Test("every method keeps its budget for each picture", arguments: MethodCatalogue.all.map(\.name))
    func budgets(method: String) throws {
        let greedy = try greedy("small", CPUBackend(precision: .float32, threads: 1))
        let plan = try greedy.plan(method, keep: method == "none" ? nil : 6)
        let prompt = try greedy.processor.prompt(
            "One <image> or two <image>, which?", template: .none, pictures: 2)
        let both = try tiles([0, 3], greedy, plan)
        let answer = try greedy.answer([DecoderInput(prompt, both, plan: plan)], tokens: 2)[0]
        let trace = try answer.sequence.reduction.trace()
        let each = method == "none" ? 16 : 6
        #expect(trace.leftAt.count == 32)
        #expect(trace.kept.count == 2 * each || plan.isOpen && trace.kept.count <= 2 * each)
        #expect(Set(trace.kept).count == trace.kept.count)
        for (token, step) in trace.leftAt.enumerated() {
            #expect((step == ReductionTrace.survived) == trace.kept.contains(UInt16(token)))
        }
        for (number, tile) in both.enumerated() where !plan.reduces(in: .languageModel) {
            let own = trace.kept.filter { Int($0) / 16 == number }.map { $0 % 16 }
            #expect(own == tile.reduction.history.kept)
            let merges = trace.merges.filter { Int($0.source) / 16 == number }
            #expect(merges.allSatisfy { Int($0.target) / 16 == number })
            #expect(merges.count == tile.reduction.history.merges.count)
        }
        for (index, step) in trace.steps.enumerated() {
            #expect(trace.leftAt.count { $0 == index } == step.tokensIn - step.tokensOut)
        }
    }

    @Test("more than the context holds is refused, with what to do")
    func tooMany() throws {
        let greedy = try greedy("hf", CPUBackend(precision: .float32, threads: 1)), plan = try greedy.plan()
        let count = greedy.model.configuration.text.context / 576 + 1
        let prompt = try greedy.processor.prompt("What?", template: .hf, pictures: count)
        let tile = try tiles([0], greedy, plan)[0]
        let error = #expect(throws: ModelError.self) {
            try greedy.answer(
                [DecoderInput(prompt, [EncodedTile](repeating: tile, count: count), plan: plan)],
                tokens: 1)
        }
        #expect(error?.code == .promptTooLong && error?.message.contains("fewer pictures") == true)
    }
}
