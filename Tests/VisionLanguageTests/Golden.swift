import Foundation
import HDF5
import ImageDecoding
import JobModel
import JobVocabulary
import Tensors
import TestSupport
import Testing
import TokenReduction
import VisionLanguage

/// A tiny checkpoint and what transformers makes of it (Tests/Fixtures/README.md).
struct Golden: Sendable, CustomTestStringConvertible {
    let name: String
    let numbersName: String

    static let all = [Golden(name: "hf", numbersName: "golden"), Golden(name: "small", numbersName: "small_golden")]

    var testDescription: String { name }
    var directory: String { Repository.fixture("model/\(name)").path }

    struct Prompt: Decodable, Sendable {
        let image: String
        let image_mode: String
        let template: String
        let question: String
        let prompt: String
        let prompt_token_ids: [Int]
        let token_ids: [Int]
        let answer: String
        let visual_tokens: Int
    }

    /// The eight prompts with their expected answers.
    func prompts() throws -> [Prompt] {
        struct File: Decodable { let prompts: [Prompt] }
        let data = try Data(contentsOf: Repository.fixture("model/\(numbersName).json"))
        return try JSONDecoder().decode(File.self, from: data).prompts
    }

    /// A dataset of numbers.
    func numbers(_ path: String) throws -> [Double] {
        try File.reading(Repository.fixture("model/\(numbersName).h5").path) { file in
            try file.root.dataset(path).read(Float.self).map(Double.init)
        }
    }
}

/// A model with its processor, driven greedily.
struct GreedyModel {
    /// One job's first logits and greedy answer, and what became of its tiles and its prompt.
    typealias Answer = (logits: [Double], ids: [Int], encoded: [EncodedTile], sequence: DecoderSequence)

    let model: LLaVA
    let processor: LLaVAProcessor

    init(
        directory: String, visionTower: String? = nil, weights: WeightFormat? = nil, backend: any Backend
    ) throws {
        model = try LLaVA(directory: directory, visionTower: visionTower, weights: weights, backend: backend)
        processor = try LLaVAProcessor(
            directory: directory, visionTower: visionTower, configuration: model.configuration)
    }

    func plan(_ method: String = "none", keep: Int? = nil, options: [String: String] = [:]) throws -> ReductionPlan {
        try ReductionPlan(method: method, keep: keep, options: options, model: model.configuration.depth)
    }

    func prompt(_ golden: Golden.Prompt) throws -> (MultimodalPrompt, Tensor) {
        let framing = try #require(PictureFraming(rawValue: golden.image_mode))
        let template = try #require(PromptTemplate(rawValue: golden.template))
        let picture = try processor.prepare(
            path: Repository.fixture("model/images/\(golden.image)").path, framing: framing)
        let text = template == .none ? golden.prompt : golden.question
        return (try processor.prompt(text, template: template), picture.tiles[0].patches)
    }

    /// First logits and greedy answers of all prompts about one picture each, in one ragged batch.
    func answer(
        _ prompts: [(MultimodalPrompt, Tensor)], plans: [ReductionPlan], tokens: Int
    ) throws -> [Answer] {
        let inputs = try prompts.indices.map { index in
            let (prompt, patches) = prompts[index], plan = plans[index]
            let tile = TileRequest(patches: patches, plan: plan, question: prompt.question)
            return (prompt, tile, plan)
        }
        let encoded = try model.encode(inputs.map(\.1))
        return try answer(
            zip(inputs, encoded).map { DecoderInput($0.0, [$1], plan: $0.2) }, tokens: tokens)
    }

    /// The same of prompts whose pictures have been encoded.
    func answer(_ prompts: [DecoderInput], tokens: Int) throws -> [Answer] {
        let (sequences, first) = try model.prefill(prompts, room: prompts.map { _ in tokens })
        var answers = prompts.map { _ in [Int]() }
        var logits = first
        for step in 0..<tokens {
            let best = (0..<prompts.count).map { greatest(logits.rows($0..<$0 + 1).doubles) }
            for index in answers.indices { answers[index].append(best[index]) }
            if step < tokens - 1 { logits = try model.decode(best, sequences) }
        }
        return prompts.indices.map { index -> Answer in
            (first.rows(index..<index + 1).doubles, answers[index], prompts[index].tiles, sequences[index])
        }
    }

    private func greatest(_ values: [Double]) -> Int {
        values.indices.max { values[$0] < values[$1] || (values[$0] == values[$1] && $0 > $1) } ?? 0
    }
}

/// Largest difference relative to the largest expected number; infinite where a number is not finite.
func relativeError(_ found: [Double], _ expected: [Double]) -> Double {
    precondition(found.count == expected.count, "\(found.count) numbers instead of \(expected.count)")
    // The greatest of several numbers may be any of them where one is NaN.
    guard (found + expected).allSatisfy(\.isFinite) else { return .infinity }
    let scale = expected.map(abs).max() ?? 0
    return zip(found, expected).map { abs($0 - $1) }.max().map { $0 / max(scale, 1e-30) } ?? 0
}
