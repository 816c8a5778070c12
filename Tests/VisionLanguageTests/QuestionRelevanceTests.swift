import Foundation
import ImageDecoding
import JobModel
import JobVocabulary
import Tensors
import TestSupport
import Testing
import TokenReduction
import VisionLanguage

/// CDPruner with the question, through whole models: picture, tower, text tower, relevance, choice.
struct QuestionRelevanceTests {
    /// What transformers and the oracle keep (Tests/Fixtures/clip/make_pick_goldens.py).
    struct Pick: Decodable, Sendable, CustomTestStringConvertible {
        let image: String
        let question: String
        let relevance: String
        let keep: Int
        let kept: [UInt16]
        let scores: [Double]

        var testDescription: String { "\(image), \(question.prefix(30).debugDescription), \(relevance), \(keep)" }

        static func all() throws -> [Pick] {
            try JSONDecoder().decode([Pick].self, from: Data(contentsOf: Repository.fixture("clip/picks.json")))
        }
    }

    static let small = Repository.fixture("model/small").path
    static let clip = Repository.fixture("clip/model").path

    private func input(_ pick: Pick, _ greedy: GreedyModel) throws -> (MultimodalPrompt, Tensor) {
        let picture = try greedy.processor.prepare(
            path: Repository.fixture("model/images/\(pick.image)").path, framing: .crop)
        return (try greedy.processor.prompt(pick.question, template: .hf), picture.tiles[0].patches)
    }

    private func plan(_ pick: Pick, _ greedy: GreedyModel) throws -> ReductionPlan {
        try greedy.plan("cdpruner", keep: pick.keep, options: ["relevance": pick.relevance])
    }

    @Test("in float64, the oracle's tokens and scores")
    func double() throws {
        let backend = PortableBackend(type: .float64)
        let greedy = try GreedyModel(directory: Self.small, visionTower: Self.clip, backend: backend)
        for pick in try Pick.all() {
            let answer = try greedy.answer([input(pick, greedy)], plans: [plan(pick, greedy)], tokens: 1)[0]
            let trace = try answer.sequence.reduction.trace()
            #expect(trace.kept == pick.kept, "\(pick.testDescription)")
            let differences = zip(trace.scores, pick.scores).map { abs(Double($0) - $1) }
            #expect(differences.allSatisfy { $0 < 1e-5 }, "\(pick.testDescription)")
        }
    }

    @Test("all pictures and questions in one ragged batch, to the last bit as each alone")
    func batch() throws {
        let backend = PortableBackend(type: .float64)
        let greedy = try GreedyModel(directory: Self.small, visionTower: Self.clip, backend: backend)
        let picks = try Pick.all()
        var inputs = try picks.map { try input($0, greedy) }, plans = try picks.map { try plan($0, greedy) }
        inputs.append(inputs[0])
        plans.append(try greedy.plan("cdpruner", keep: 4))
        let together = try greedy.answer(inputs, plans: plans, tokens: 1)
        for (index, answer) in together.enumerated() {
            let alone = try greedy.answer([inputs[index]], plans: [plans[index]], tokens: 1)[0]
            #expect(answer.logits == alone.logits)
            #expect(try answer.sequence.reduction.trace().scores == alone.sequence.reduction.trace().scores)
        }
    }

    @Test("a question is read once, however many pictures it is asked about and whenever they come")
    func readOnce() throws {
        let golden = Golden.all[1]
        var layers = 0
        let model = try LLaVA(
            directory: Self.small, visionTower: Self.clip, backend: CPUBackend(precision: .float32, threads: 1),
            progress: LayerProgress { layers += 1 })
        let greedy = try GreedyModel(directory: Self.small, backend: PortableBackend())
        let plan = try greedy.plan("cdpruner", keep: 4, options: ["relevance": "question"])
        let patches = try greedy.prompt(golden.prompts()[0]).1
        func layersRun(_ questions: String...) throws -> (layers: Int, flops: [Int]) {
            layers = 0
            let tiles = try model.encode(
                questions.map { TileRequest(patches: patches, plan: plan, question: $0) })
            return (layers, tiles.map(\.questionFLOPs))
        }
        let tower = model.configuration.visionLayersNeeded
        _ = try layersRun("Why?")  // loads the text tower
        let text = try layersRun("Where is it?").layers - tower
        #expect(text > 0)
        let (again, flops) = try layersRun("Where is it?", "Where is it?", "Why?")
        #expect(again == tower)
        #expect(flops[0] == flops[1] && flops.allSatisfy { $0 > 0 })
        #expect(try layersRun("How?", "How?").layers == tower + text)
    }

    @Test("in single precision, the authors' layout with a whole CLIP folder beside it keeps the same tokens")
    func original() throws {
        let copy = try CheckpointLayoutTests.originalCopy(of: Golden.all[1], tower: "clip_tower")
        try addTextSide(to: copy.folder.appendingPathComponent("clip_tower"))
        let greedy = try copy.load()
        for pick in try Pick.all() {
            let answer = try greedy.answer([input(pick, greedy)], plans: [plan(pick, greedy)], tokens: 1)[0]
            #expect(try answer.sequence.reduction.trace().kept == pick.kept, "\(pick.testDescription)")
        }
    }

    /// Makes a folder that holds the picture side alone a whole CLIP model.
    private func addTextSide(to tower: URL) throws {
        let text = try Checkpoint(directory: Self.clip), vision = try Checkpoint(directory: tower.path)
        // What the file holds under other shapes, or as integers, is what a whole model replaces.
        var tensors = try Dictionary(
            uniqueKeysWithValues: vision.names.filter { $0.hasPrefix("vision_model.") && !$0.hasSuffix("position_ids") }
                .map { ($0, try vision.tensor($0)) })
        for name in text.names { tensors[name] = try text.tensor(name) }
        // Not over the file that is being read.
        let whole = tower.deletingLastPathComponent().appendingPathComponent("whole")
        try CheckpointCopy.write(tensors, to: whole)
        for name in ["config.json", "vocab.json", "merges.txt"] {
            try FileManager.default.copyItem(
                at: URL(fileURLWithPath: Self.clip).appendingPathComponent(name), to: whole.appendingPathComponent(name)
            )
        }
        try FileManager.default.removeItem(at: tower)
        try FileManager.default.moveItem(at: whole, to: tower)
    }

    @Test("the question is the user's text without the picture and what benchmarks ask of the answer")
    func question() throws {
        let processor = try GreedyModel(directory: Self.small, backend: PortableBackend(type: .float32)).processor
        for (instruction, template, question) in [
            ("What is this?", .vicunaV1, "What is this?"),
            ("<image>\nWhat is this?\nAnswer the question using a single word or phrase.", .hf, "\nWhat is this?"),
            ("Which?\nAnswer with the option's letter from the given choices directly.", .vicunaV1, "Which?"),
            ("USER: <image> What? ASSISTANT:", .none, "USER:  What? ASSISTANT:"),
        ] as [(String, PromptTemplate, String)] {
            #expect(try processor.prompt(instruction, template: template, tag: .place).question == question)
        }
    }

    @Test("without a text tower a method that needs it says what to do, and others do not need it")
    func missing() throws {
        let backend = CPUBackend(precision: .float32, threads: 1)
        let bare = try GreedyModel(directory: Self.small, backend: backend)
        let pick = try #require(try Pick.all().first)
        let none = try #require(throws: ModelError.self) {
            try bare.answer([input(pick, bare)], plans: [plan(pick, bare)], tokens: 1)
        }
        #expect(none.code == .missingTextTower)
        #expect(none.message.contains("vision_tower (--vision-tower)") && none.message.contains("relevance=none"))
        _ = try bare.answer([input(pick, bare)], plans: [bare.plan("cdpruner", keep: 4)], tokens: 1)
        // Nothing goes, so nobody asks.
        _ = try bare.answer(
            [input(pick, bare)], plans: [bare.plan("cdpruner", keep: 16, options: ["relevance": "question"])], tokens: 1
        )

        let tower = try CheckpointLayoutTests.originalCopy(of: Golden.all[1], tower: "clip_tower")
        #expect(throws: ModelError.self) { try CLIPFolder(of: tower.path, visionTower: nil) }
        for name in ["vocab.json", "merges.txt"] {
            let folder = try TemporaryDirectory(), clip = folder.file("clip")
            try FileManager.default.copyItem(atPath: Self.clip, toPath: clip.path)
            try FileManager.default.removeItem(at: clip.appendingPathComponent(name))
            let error = try #require(throws: ModelError.self) {
                try CLIPFolder(of: Self.small, visionTower: clip.path)
            }
            #expect(error.code == .missingTextTower)
        }
        let lost = try #require(throws: ModelError.self) { try CLIPFolder(of: Self.small, visionTower: "/nowhere") }
        #expect(lost.code == .missingFile)
        // A CLIP model of another width.
        let other = try GreedyModel(directory: Golden.all[0].directory, visionTower: Self.clip, backend: backend)
        let wrong = try #require(throws: ModelError.self) {
            try other.answer([input(pick, other)], plans: [plan(pick, other)], tokens: 1)
        }
        #expect(wrong.code == .wrongShape)
        // Ids without a text.
        let whole = try GreedyModel(directory: Self.small, visionTower: Self.clip, backend: backend)
        let ids = try MultimodalPrompt(ids: [1, 640, 5], imageToken: 640, visualTokens: 16)
        let silent = try #require(throws: ModelError.self) {
            try whole.answer([(ids, input(pick, whole).1)], plans: [plan(pick, whole)], tokens: 1)
        }
        #expect(silent.code == .malformedPrompt)
    }
}
