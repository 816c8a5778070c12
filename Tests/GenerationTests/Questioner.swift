import Foundation
import Generation
import ImageDecoding
import JobModel
import JobVocabulary
import Tensors
import TestSupport
import Testing
import TokenReduction
import Tokenization
import VisionLanguage

/// A checkpoint, ready to be asked.
struct Questioner {
    let model: LLaVA
    let processor: LLaVAProcessor
    /// The name of its goldens.
    let golden: String

    /// The checkpoint `name` under `Tests/Fixtures/model`: `hf` or `small`.
    init(
        _ name: String, weights: WeightFormat? = nil,
        backend: any Backend = CPUBackend(precision: .float32, threads: 2)
    ) throws {
        try self.init(
            directory: Repository.fixture("model/\(name)").path, golden: name == "hf" ? "golden" : "\(name)_golden",
            weights: weights, backend: backend)
    }

    init(
        directory: String, visionTower: String? = nil, golden: String = "", weights: WeightFormat? = nil,
        backend: any Backend = CPUBackend(precision: .float32, threads: 2)
    ) throws {
        model = try LLaVA(
            directory: directory, visionTower: visionTower, weights: weights, backend: backend)
        processor = try LLaVAProcessor(directory: directory, configuration: model.configuration)
        self.golden = golden
    }

    var prompts: [GoldenPrompt] { get throws { try GoldenPrompt.all(golden) } }

    func engine(
        capacity: Int = 4, sharedBytes: Int = 256 << 20, prefillRows: Int = 1024, cacheBytes: Int = .max
    ) -> Engine {
        Engine(
            model: model, tokenizer: processor.tokenizer, capacity: capacity, sharedBytes: sharedBytes,
            prefillRows: prefillRows, cacheBytes: cacheBytes)
    }

    func plan(_ method: String = "none", keep: Int? = nil) throws -> ReductionPlan {
        try ReductionPlan(method: method, keep: keep, model: model.configuration.depth)
    }

    /// The request for one of the goldens' prompts.
    func request(
        _ index: Int, id: UInt64? = nil, method: String = "none", keep: Int? = nil, key: String? = nil,
        sampling: Sampling = .greedy, maxTokens: Int = 32, stop: [String] = []
    ) throws -> GenerationRequest {
        let prompt = try prompts[index]
        let framing = try #require(PictureFraming(rawValue: prompt.image_mode))
        let template = try #require(PromptTemplate(rawValue: prompt.template))
        let picture = try processor.prepare(
            path: Repository.fixture("model/images/\(prompt.image)").path, framing: framing)
        return GenerationRequest(
            id: id ?? UInt64(index),
            prompt: try processor.prompt(
                template == .none ? prompt.prompt : prompt.question, template: template),
            pictures: [GenerationRequest.Picture(picture, key: key)],
            plan: try plan(method, keep: keep), sampling: sampling,
            maxTokens: maxTokens, stop: stop)
    }

    /// A request about some of the goldens' pictures, cut to squares.
    func request(
        _ text: String, pictures: [Int], id: UInt64 = 0, template: PromptTemplate = .none, method: String = "none",
        keep: Int? = nil, key: String? = nil, maxTokens: Int = 16
    ) throws -> GenerationRequest {
        GenerationRequest(
            id: id, prompt: try processor.prompt(text, template: template, pictures: pictures.count),
            pictures: try pictures.map { number in
                GenerationRequest.Picture(
                    try processor.prepare(
                        path: Repository.fixture("model/images/picture-\(number).png").path, framing: .crop
                    ),
                    key: key.map { "\($0) \(number)" })
            },
            plan: try plan(method, keep: keep), sampling: .greedy, maxTokens: maxTokens)
    }
}

extension Engine {
    /// Answers everything; every request ends once.
    func answers(_ requests: [GenerationRequest]) throws -> [UInt64: Result<GenerationResult, any Error>] {
        for request in requests { admit(request) }
        var ended: [UInt64: Result<GenerationResult, any Error>] = [:]
        while !isIdle {
            for end in try step() {
                #expect(ended[end.id] == nil, "request \(end.id) ended twice")
                ended[end.id] = end.result
            }
        }
        return ended
    }

    /// The answer to one request.
    func answer(_ request: GenerationRequest) throws -> GenerationResult {
        try #require(try answers([request])[request.id]).get()
    }
}
