import Foundation
import Generation
import JobModel
import Tensors
import TestSupport
import Testing
import TokenReduction
import VisionLanguage

/// LLaVA-NeXT's pictures of several tiles in the engine: the answers of transformers, and the same ones in any company.
@Suite struct NextCompanyTests {
    private struct Prompt: Decodable {
        let prompt: String
        let pictures: [String]
        let rows: Int
        let token_ids: [Int]
        let prompt_token_ids: [Int]

        static func all(_ golden: String = "next_golden") throws -> [Prompt] {
            struct File: Decodable { let prompts: [Prompt] }
            let data = try Data(contentsOf: Repository.fixture("model/\(golden).json"))
            return try JSONDecoder().decode(File.self, from: data).prompts
        }
    }

    private static let methods: [(name: String, keep: Int?)] = [
        ("none", nil), ("ficoco-v", 6), ("ficoco-l", 6), ("ficoco-vl", 6), ("fastv", 6), ("visionzip", 6),
        ("pyramiddrop", 6), ("prumerge", 6),
    ]

    private func request(
        _ asked: Questioner, _ prompt: Prompt, _ number: Int, method: Int = 0, shared: Bool
    ) throws -> GenerationRequest {
        let (name, keep) = Self.methods[method % Self.methods.count]
        return GenerationRequest(
            id: UInt64(number),
            prompt: try asked.processor.prompt(prompt.prompt, template: .none, pictures: prompt.pictures.count),
            pictures: try prompt.pictures.map { picture in
                let path = Repository.fixture("model/next_images/\(picture).png").path
                return GenerationRequest.Picture(
                    try asked.processor.prepare(path: path, framing: nil), key: shared ? "\(picture) \(name)" : nil)
            },
            plan: try asked.plan(name, keep: prompt.pictures.isEmpty ? nil : keep), sampling: .greedy,
            maxTokens: prompt.token_ids.count)
    }

    @Test("the engine answers as transformers does, whether tiles are shared or not", arguments: [true, false])
    func goldens(shared: Bool) throws {
        let asked = try Questioner("next"), prompts = try Prompt.all()
        let answers = try asked.engine(capacity: 6, prefillRows: 200).answers(
            prompts.enumerated().map { try request(asked, $1, $0, shared: shared) })
        for (number, prompt) in prompts.enumerated() {
            let answer = try #require(answers[UInt64(number)]).get()
            #expect(answer.tokenIDs == prompt.token_ids, "\(prompt.prompt) \(prompt.pictures)")
            #expect(answer.promptTokens == prompt.rows)
        }
    }

    /// The checkpoint has a tokenizer.json alone; its packed model keeps it.
    @Test("a decoder and a tokenizer as of Llama 3, as a checkpoint and packed", arguments: [false, true])
    func llama3(packed: Bool) throws {
        let folder = try TemporaryDirectory(), source = Repository.fixture("model/next_llama3").path
        let directory = packed ? folder.file("packed").path : source
        if packed {
            _ = try ModelPacking.pack(ModelFolder(directory: source), weights: .f32, threads: 2, to: directory)
        }
        let asked = try Questioner(directory: directory), prompts = try Prompt.all("next_llama3_golden")
        #expect(prompts.count == 15)
        let answers = try asked.engine(capacity: 6).answers(
            prompts.enumerated().map { try request(asked, $1, $0, shared: true) })
        let image = asked.model.configuration.imageToken
        for (number, prompt) in prompts.enumerated() {
            let parts = try asked.processor.prompt(prompt.prompt, template: .none, pictures: prompt.pictures.count)
            #expect(
                parts.expanded(imageToken: image, rows: prompt.pictures.map { _ in 1 }) == prompt.prompt_token_ids)
            let answer = try #require(answers[UInt64(number)]).get()
            #expect(answer.tokenIDs == prompt.token_ids, "\(prompt.prompt) \(prompt.pictures)")
            #expect(answer.promptTokens == prompt.rows)
        }
        // The template renders what the first of them says.
        let rendered = try asked.processor.prompt("What is this?", template: .hfLlama3)
        #expect(rendered.expanded(imageToken: image, rows: [1]) == prompts[0].prompt_token_ids)
    }

    /// What must not differ.
    private struct Outcome: Equatable {
        let ids: [Int]
        let logProbabilities: [UInt32]
        let trace: [[UInt16]]
        let features: [UInt32]
        let operations: OperationCounts

        init(_ result: GenerationResult) {
            ids = result.tokenIDs
            logProbabilities = result.logProbabilities.map(\.bitPattern)
            trace = [result.trace.kept, result.trace.wentTo, result.trace.leftAt.map { UInt16($0) }]
            features = result.features.floats.map(\.bitPattern)
            operations = result.flops
        }
    }

    @Test("features stand in the order in which tokens enter, or by number where the decoder reduces them")
    func features() throws {
        let asked = try Questioner("next")
        func answer(_ method: String, keep: Int?) throws -> GenerationResult {
            let prepared = try asked.processor.prepare(
                path: Repository.fixture("model/next_images/panorama.png").path, framing: nil)
            return try asked.engine().answer(
                GenerationRequest(
                    id: 0, prompt: asked.processor.prompt("<image>\nWhat?", template: .none),
                    pictures: [GenerationRequest.Picture(prepared, key: nil)], plan: asked.plan(method, keep: keep),
                    sampling: .greedy, maxTokens: 2, keepsTowerFeatures: true))
        }
        let whole = try answer("none", keep: nil), order = whole.trace.kept
        // 4 tiles of 15 are more than the 16 + 2 x 12 tokens that show the picture: nothing is reduced.
        let unreduced = try answer("fastv", keep: 15), reduced = try answer("fastv", keep: 6)
        #expect(unreduced.trace.steps.isEmpty && unreduced.trace.kept == order && order != order.sorted())
        #expect(unreduced.features.floats == whole.features.floats)
        #expect(unreduced.towerFeatures?.floats == whole.towerFeatures?.floats)
        func byNumber(_ features: Tensor) -> [Float] {
            let floats = features.floats, width = features.width
            return order.indices.sorted { order[$0] < order[$1] }.flatMap { floats[$0 * width..<($0 + 1) * width] }
        }
        #expect(reduced.features.floats == byNumber(whole.features))
        #expect(try reduced.towerFeatures?.floats == byNumber(#require(whole.towerFeatures)))
    }

    @Test("alone, with others, on one thread or more, with or without shared features")
    func company() throws {
        let prompts = try Prompt.all(), count = 48
        func requests(_ asked: Questioner, shared: Bool) throws -> [GenerationRequest] {
            try (0..<count).map {
                try request(asked, prompts[$0 % prompts.count], $0, method: $0 / 3, shared: shared)
            }
        }
        let single = try Questioner("next", backend: CPUBackend(precision: .float32, threads: 1))
        let alone = try requests(single, shared: false).map { try single.engine(capacity: 1).answer($0) }
        #expect(Set(alone.map(\.tokenIDs)).count > 20)
        for (threads, capacity, shared, rows) in [
            (2, 1, true, 1024), (1, 8, true, 1024), (2, 8, false, 60), (2, 48, true, 1024), (3, 48, false, 1 << 20),
        ] {
            let asked = try Questioner("next", backend: CPUBackend(precision: .float32, threads: threads))
            let answers = try asked.engine(capacity: capacity, prefillRows: rows).answers(
                requests(asked, shared: shared))
            for number in 0..<count {
                let outcome = Outcome(try #require(answers[UInt64(number)]).get())
                #expect(
                    outcome == Outcome(alone[number]),
                    "request \(number) on \(threads) threads beside \(capacity - 1)")
            }
        }
    }

    @Test("a prompt that is too long fails alone, before its tiles are encoded")
    func tooLong() throws {
        let asked = try Questioner("next"), prompts = try Prompt.all()
        let good = try request(asked, prompts[0], 0, shared: false)
        let long = try asked.processor.prompt(
            String(repeating: "<image>", count: 30), template: .none, pictures: 30)
        let bad = GenerationRequest(
            id: 1, prompt: long, pictures: Array(repeating: good.pictures[0], count: 30), plan: good.plan,
            sampling: .greedy, maxTokens: 4)
        let answers = try asked.engine().answers([bad, good])
        #expect(try #require(answers[0]).get().tokenIDs == prompts[0].token_ids)
        let error = #expect(throws: ModelError.self) { try #require(answers[1]).get() }
        #expect(error?.code == .promptTooLong)
    }
}
