import Generation
import Testing

/// Answers drawn at random from what temperature and top-p leave.
struct SampledAnswerTests {
    @Test("the same seed draws the same answer, alone or among others; another seed another")
    func seeds() throws {
        let questioner = try Questioner("small")
        func request(_ id: UInt64, seed: UInt64) throws -> GenerationRequest {
            try questioner.request(
                0, id: id, sampling: Sampling(temperature: 1.5, topP: 0.95, seed: seed), maxTokens: 16)
        }
        let together = try questioner.engine().answers([
            request(0, seed: 7), request(1, seed: 7), request(2, seed: 8), questioner.request(1, id: 3),
        ])
        let tokens = try (0..<3).map { try #require(together[$0]).get().tokenIDs }
        #expect(tokens[0] == tokens[1])
        #expect(tokens[0] != tokens[2])
        #expect(try questioner.engine().answer(request(9, seed: 7)).tokenIDs == tokens[0])
    }

    @Test("tokens are drawn as often as they are probable")
    func frequencies() throws {
        let questioner = try Questioner("small")
        let draws = 400
        let expected = try Sampling(temperature: 0.7, topP: 0.9, seed: 0)
            .distribution(GoldenPrompt.firstLogits(questioner.golden, prompt: 0))
        let request = try questioner.request(0)
        let answers = try questioner.engine(capacity: 40).answers(
            (0..<UInt64(draws)).map { seed in
                GenerationRequest(
                    id: seed, prompt: request.prompt,
                    pictures: request.pictures.map {
                        GenerationRequest.Picture(tiles: $0.tiles, tiling: $0.tiling, key: "picture")
                    },
                    plan: request.plan,
                    sampling: Sampling(temperature: 0.7, topP: 0.9, seed: seed), maxTokens: 1)
            })
        var counts: [Int: Int] = [:]
        for answer in answers.values { counts[try answer.get().tokenIDs[0], default: 0] += 1 }
        #expect(Set(counts.keys).isSubset(of: Set(expected.map(\.token))))
        for candidate in expected.prefix(5) {
            let mean = candidate.probability * Double(draws)
            let deviation = (mean * (1 - candidate.probability)).squareRoot()
            #expect(abs(Double(counts[candidate.token] ?? 0) - mean) < 4 * deviation + 1)
        }
    }
}
