import Evaluation
import Foundation
import JobModel
import Tensors
import TestSupport
import Testing
import TokenReduction
import VisionLanguage

/// What weights in fewer bits change, on a sample of prompts.
@Suite struct WeightTrialTests {
    private let directory = Repository.root.appendingPathComponent("Jobs/demo/model").path

    private func trial(
        _ format: WeightFormat?, _ sample: WeightSample, following reference: WeightTrial? = nil
    ) throws -> WeightTrial {
        let model = try LLaVA(
            directory: directory, weights: format, backend: CPUBackend(precision: .float32, threads: 2))
        let plans = try ["ficoco-v", "fastv"].map {
            ($0, try ReductionPlan(method: $0, keep: 64, model: model.configuration.depth))
        }
        return try WeightTrial(model, sample, steps: 3, plans: plans, following: reference)
    }

    private func sample() throws -> WeightSample {
        let configuration = try LLaVAConfiguration(directory: directory)
        let processor = try LLaVAProcessor(directory: directory, configuration: configuration)
        var batch = BatchDescription(
            name: "check", model: directory,
            items: Repository.root.appendingPathComponent("Jobs/demo/questions.jsonl").path,
            images: Repository.root.appendingPathComponent("Jobs/demo").path, results: "")
        batch.template = .hf
        return try WeightSample(batch, processor: processor, limit: 6)
    }

    @Test("the same weights change nothing; fewer bits change more")
    func losses() throws {
        let sample = try sample(), reference = try trial(nil, sample)
        let none = WeightLoss(try trial(.f32, sample, following: reference), against: reference)
        #expect(none.prompts == 6 && none.tokens == 18)
        #expect(
            none.meanDivergence == 0 && none.worstDivergence == 0 && none.agreement == 1 && none.changedAnswers == 0)
        #expect(none.kept.map(\.method) == ["ficoco-v", "fastv"])
        #expect(none.kept.allSatisfy { $0.same == 1 && $0.identical == 6 })
        let eight = WeightLoss(try trial(.int8, sample, following: reference), against: reference)
        let four = WeightLoss(try trial(.int4, sample, following: reference), against: reference)
        #expect(eight.meanDivergence > 0 && four.meanDivergence > 4 * eight.meanDivergence)
        #expect(eight.worstDivergence >= eight.meanDivergence)
        #expect(eight.agreement >= four.agreement && eight.agreement > 0.8)
        #expect(eight.kept.allSatisfy { $0.same > 0.9 && $0.same <= 1 })
        #expect(four.kept.allSatisfy { $0.same > 0.5 })
    }

    @Test("made-up pictures differ from one another")
    func madeUp() throws {
        let configuration = try LLaVAConfiguration(directory: directory)
        let processor = try LLaVAProcessor(directory: directory, configuration: configuration)
        let sample = try WeightSample(madeUp: 3, processor: processor, configuration: configuration)
        #expect(sample.prompts.count == 3)
        let reference = try trial(nil, sample)
        let loss = WeightLoss(try trial(.int8, sample, following: reference), against: reference)
        #expect(loss.tokens == 9 && loss.meanDivergence.isFinite)
    }
}
