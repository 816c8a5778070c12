import JobModel
import Tensors
import Testing
import TokenReduction
import Tokenization
import VisionLanguage

/// Prompts that the model cannot take, and those at the edge of what it can.
struct PromptTests {
    private let golden = Golden.all[1]

    private func model(context: Int = 2048) throws -> GreedyModel {
        let copy = try CheckpointCopy(of: golden)
        try copy.write()
        try copy.edit(section: "text_config") { $0["max_position_embeddings"] = context }
        return try GreedyModel(directory: copy.path, backend: CPUBackend(precision: .float32, threads: 2))
    }

    @Test("a prompt needs exactly one picture", arguments: ["no picture", "<image> or <image>", "<image><image>", ""])
    func pictures(text: String) throws {
        let greedy = try model()
        let error = try #require(throws: ModelError.self) { try greedy.processor.prompt(text, template: .none) }
        #expect(error.code == .malformedPrompt)
        #expect(error.message.contains("<image>"))
    }

    @Test("an instruction may say itself where the picture goes; templates then add none")
    func ownPicture() throws {
        let processor = try model().processor
        let prompt = try processor.prompt("What does <image> show?", template: .vicunaV1, tag: .place)
        #expect(!prompt.before.contains(640) && !prompt.after.contains(640))
        #expect(processor.tokenizer.decode(prompt.before).contains("USER: What does"))
        #expect(prompt.question == "What does  show?")
    }

    @Test("an <image> that is text stays in its place, and the picture goes before the text")
    func tagAsText() throws {
        let processor = try model().processor
        let prompt = try processor.prompt("What does <image> do?", template: .vicunaV1, tag: .text)
        #expect(prompt.pictures == 1 && !prompt.before.contains(640) && !prompt.after.contains(640))
        #expect(!processor.tokenizer.decode(prompt.before).contains("What"))
        #expect(processor.tokenizer.decode(prompt.after).hasSuffix("What does <image> do? ASSISTANT:"))
        #expect(prompt.question == "What does <image> do?")
        let alone = try processor.prompt("What does <image> do?", template: .hf, tag: .text, pictures: 0)
        #expect(processor.tokenizer.decode(alone.before) == "USER: What does <image> do? ASSISTANT:")
    }

    @Test("an <image> under a template is refused where nobody says what it is", arguments: [0, 1, 2])
    func undecidedTag(pictures: Int) throws {
        let processor = try model().processor
        let error = try #require(throws: ModelError.self) {
            try processor.prompt("What does <image> do?", template: .hf, pictures: pictures)
        }
        #expect(error.code == .malformedPrompt && error.message.contains("'place'") && error.message.contains("'text'"))
    }

    @Test("one image token for each visual token is the same prompt")
    func expanded() throws {
        let processor = try model().processor
        let one = try processor.prompt("look: <image> What?", template: .none)
        let many = try processor.prompt("look: " + String(repeating: "<image>", count: 16) + " What?", template: .none)
        #expect(one == many)
        #expect(many.expanded(imageToken: 640, rows: [16]).count { $0 == 640 } == 16)
        let odd = try #require(throws: ModelError.self) {
            try processor.prompt(String(repeating: "<image>", count: 15), template: .none)
        }
        #expect(odd.code == .malformedPrompt && odd.message.contains("15"))
    }

    @Test("a prompt longer than the context")
    func tooLong() throws {
        let prompt = try golden.prompts()[0]
        let rows = prompt.prompt_token_ids.count - 1 + prompt.visual_tokens
        let short = try model(context: rows)
        let input = try short.prompt(prompt)
        let error = try #require(throws: ModelError.self) {
            try short.answer([input], plans: [short.plan()], tokens: 1)
        }
        #expect(error.code == .promptTooLong)
        #expect(error.message.contains("\(rows)"))
        // Fewer visual tokens make room.
        let fits = try short.answer([input], plans: [short.plan("ficoco-v", keep: 4)], tokens: 1)
        #expect(fits[0].sequence.promptTokens == rows - 12)
        #expect(fits[0].sequence.room == 1)
        let wide = try model(context: rows + 1)
        #expect(try wide.answer([input], plans: [wide.plan()], tokens: 1)[0].ids == [prompt.token_ids[0]])
    }

    @Test("an id that the model does not embed")
    func unknownToken() throws {
        let greedy = try model()
        let prompt = try MultimodalPrompt(ids: [1, 640, 704], imageToken: 640, visualTokens: 16)
        let patches = try greedy.prompt(golden.prompts()[0]).1
        let error = try #require(throws: ModelError.self) {
            try greedy.answer([(prompt, patches)], plans: [greedy.plan()], tokens: 1)
        }
        #expect(error.code == .vocabularyMismatch)
    }

    @Test("a picture may stand first or last", arguments: ["none", "ficoco-v", "ficoco-l", "ficoco-vl"])
    func edges(method: String) throws {
        let greedy = try model()
        let patches = try greedy.prompt(golden.prompts()[0]).1
        let prompts = [[640, 5], [5, 640], [640]].map { ids in
            Result { try MultimodalPrompt(ids: ids, imageToken: 640, visualTokens: 16) }
        }
        for prompt in prompts {
            let plan = try greedy.plan(method, keep: method == "none" ? nil : 5)
            let answers = try greedy.answer([(prompt.get(), patches)], plans: [plan], tokens: 3)
            #expect(answers[0].logits.allSatisfy { $0.isFinite })
        }
    }
}
