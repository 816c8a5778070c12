import Generation
import Testing
import TokenReduction
import VisionLanguage

/// Features of a picture are computed once for all requests with the same key.
struct FeatureReuseTests {
    @Test("reused features give the same answer", arguments: ["none", "ficoco-v", "ficoco-l", "ficoco-vl"])
    func sameAnswer(method: String) throws {
        let questioner = try Questioner("small"), engine = questioner.engine()
        let keep = method == "none" ? nil : 6
        func request(_ id: UInt64) throws -> GenerationRequest {
            try questioner.request(1, id: id, method: method, keep: keep, key: "picture 1")
        }
        // Two side by side, then one when both are done.
        let first = try engine.answers([request(0), request(1)])
        let results = try [#require(first[0]).get(), #require(first[1]).get(), engine.answer(request(2))]
        #expect(results.map(\.reusedFeatures) == [false, true, true])
        for result in results.dropFirst() {
            #expect(result.tokenIDs == results[0].tokenIDs)
            #expect(result.logProbabilities == results[0].logProbabilities)
            #expect(result.trace.kept == results[0].trace.kept)
            #expect(result.flops == results[0].flops)
            #expect(result.seconds.vision == 0)
        }
        #expect(results[0].seconds.vision > 0)
    }

    @Test("without a key, or with another, nothing is shared")
    func keys() throws {
        let questioner = try Questioner("small"), engine = questioner.engine()
        for (id, key) in [nil, nil, "a", "b"].enumerated() {
            #expect(try !engine.answer(questioner.request(0, id: UInt64(id), key: key, maxTokens: 1)).reusedFeatures)
        }
        #expect(try engine.answer(questioner.request(0, key: "a", maxTokens: 1)).reusedFeatures)
    }

    @Test("what was used longest ago makes room")
    func eviction() throws {
        let questioner = try Questioner("small")
        let size = 16 * questioner.model.configuration.text.hidden * 4
        let engine = questioner.engine(sharedBytes: 2 * size)
        let reused = try ["a", "b", "a", "c", "a", "b"].map { key in
            try engine.answer(questioner.request(0, key: key, maxTokens: 1)).reusedFeatures
        }
        #expect(reused == [false, false, true, false, true, false])
        let forgetful = questioner.engine(sharedBytes: size - 1)
        let never = try ["a", "a"].map {
            try forgetful.answer(questioner.request(0, key: $0, maxTokens: 1)).reusedFeatures
        }
        #expect(never == [false, false])
    }
}
