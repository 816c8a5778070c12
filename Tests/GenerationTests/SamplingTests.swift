import Foundation
import Generation
import TestSupport
import Testing

/// Temperature and top-p, against transformers' warpers.
struct SamplingTests {
    struct Expected: Decodable, Sendable {
        let temperature: Double
        let top_p: Double
        let support: Int
        let ids: [Int]
        let probabilities: [Double]
    }

    @Test(
        "the tokens that temperature and top-p leave, with their probabilities", arguments: ["golden", "small_golden"])
    func distribution(name: String) throws {
        struct File: Decodable { let sampling: [Expected] }
        let data = try Data(contentsOf: Repository.fixture("model/\(name).json"))
        let expected = try JSONDecoder().decode(File.self, from: data).sampling
        #expect(expected.count == 4)
        let logits = try GoldenPrompt.firstLogits(name, prompt: 0)
        for row in expected {
            let found = Sampling(temperature: row.temperature, topP: row.top_p, seed: 1).distribution(logits)
            #expect(found.count == row.support)
            #expect(found.prefix(40).map(\.token) == row.ids)
            #expect(abs(found.reduce(0) { $0 + $1.probability } - 1) < 1e-12)
            for (candidate, probability) in zip(found, row.probabilities) {
                // transformers computed in f32.
                #expect(abs(candidate.probability - probability) <= 1e-5 * probability + 1e-9)
            }
        }
    }

    @Test("no temperature leaves the lowest id among the greatest logits")
    func greedy() {
        let found = Sampling.greedy.distribution([0.5, 2, -1, 2])
        #expect(found.map(\.token) == [1])
        #expect(found.map(\.probability) == [1])
    }

    @Test("equally probable tokens come in the order of their ids")
    func ties() {
        let found = Sampling(temperature: 1, topP: 0.5, seed: 0).distribution([1, 1, 1, 1])
        #expect(found.map(\.token) == [0, 1])
        #expect(found.map(\.probability) == [0.5, 0.5])
    }

    @Test("something is left whatever top-p is", arguments: [0, 1e-300, 0.3, 1])
    func neverEmpty(topP: Double) {
        #expect(Sampling(temperature: 0.01, topP: topP, seed: 0).distribution([-3, 80, 4])[0].token == 1)
    }
}
