import Foundation
import Generation
import ImageDecoding
import JobModel
import JobVocabulary
import TestSupport
import Testing
import TokenReduction
import VisionLanguage

/// A reduction that reads the question is shared by requests that ask the same, and by no others.
struct QuestionSharingTests {
    private func reused(_ options: [String: String], sharedBytes: Int = 256 << 20) throws -> [[Bool]] {
        let questioner = try Questioner(
            directory: Repository.fixture("model/small").path, visionTower: Repository.fixture("clip/model").path)
        let engine = questioner.engine(capacity: 8, sharedBytes: sharedBytes)
        let plan = try ReductionPlan(
            method: "cdpruner", keep: 4, options: options, model: questioner.model.configuration.depth)
        let picture = try questioner.processor.prepare(
            path: Repository.fixture("model/images/picture-0.png").path, framing: .crop)
        let questions = ["What color is the ring?", "Where is the white bar?", "What color is the ring?"]
        let requests = try (0..<6).map { id in
            try GenerationRequest(
                id: UInt64(id), prompt: questioner.processor.prompt(questions[id % 3], template: .hf),
                pictures: [GenerationRequest.Picture(picture, key: "picture 0")], plan: plan,
                sampling: .greedy, maxTokens: 2)
        }
        // Three side by side, then three more when those are done.
        let answers = try engine.answers(Array(requests[..<3])).merging(engine.answers(Array(requests[3...]))) { $1 }
        let results = try (0..<6).map { try #require(answers[UInt64($0)]).get() }
        let picks = results.map(\.trace.kept)
        #expect((picks[0] != picks[1]) == (options["relevance"] == "question"))
        for place in 0..<6 {
            #expect(picks[place] == picks[place % 3 == 1 ? 1 : 0])
            #expect(results[place].flops.vision == results[place % 3 == 1 ? 1 : 0].flops.vision)
        }
        return [results.map(\.reusedFeatures), results.map(\.reusedPrefix)]
    }

    @Test("two questions about one picture share neither features nor prefix")
    func question() throws {
        let reused = try reused(["relevance": "question"])
        #expect(reused[0] == [false, false, true, true, true, true])
        #expect(reused[1][1] == false)
    }

    @Test("without the question all share")
    func none() throws {
        let reused = try reused([:])
        #expect(reused[0] == [false, true, true, true, true, true])
    }
}
