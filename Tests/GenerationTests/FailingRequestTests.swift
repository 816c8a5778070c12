import Generation
import Tensors
import Testing
import TokenReduction
import VisionLanguage

/// A request that cannot be run ends alone, with its error.
struct FailingRequestTests {
    @Test(
        "the good among the bad are answered as if alone, also where prompts are read in pieces", arguments: [1024, 5])
    func amongOthers(prefillRows: Int) throws {
        let questioner = try Questioner("small")
        let good = try questioner.request(0)
        let image = questioner.model.configuration.imageToken
        let sound = try #require(good.pictures.first)
        func bad(
            _ id: UInt64, ids: [Int]? = nil, patches: Tensor? = nil, plan: ReductionPlan? = nil
        ) throws -> GenerationRequest {
            GenerationRequest(
                id: id,
                prompt: try ids.map { try MultimodalPrompt(ids: $0, imageToken: image, visualTokens: 16) }
                    ?? good.prompt,
                pictures: [
                    patches.map { GenerationRequest.Picture(tiles: [$0], tiling: sound.tiling, key: nil) }
                        ?? sound
                ], plan: plan ?? good.plan,
                sampling: .greedy,
                maxTokens: 4)
        }
        let shape = sound.tiles[0].shape
        let broken = Tensor([Float](repeating: .nan, count: shape.reduce(1, *)), shape: shape)
        let requests = try [
            good,
            bad(101, ids: [image] + Array(repeating: 5, count: 2048)),
            bad(102, ids: [1, image, 100_000]),
            bad(
                103,
                plan: ReductionPlan(
                    method: "ficoco-v", keep: 64,
                    model: ModelDepth(visionLayers: 23, languageLayers: 32, visualTokens: 576))),
            questioner.request(1, method: "ficoco-v", keep: 6),
            bad(104, patches: broken, plan: questioner.plan("ficoco-v", keep: 6)),
            bad(105, patches: broken, plan: questioner.plan("ficoco-l", keep: 6)),
            bad(106, patches: broken),
            questioner.request(2),
        ]
        let answers = try questioner.engine(capacity: 8, prefillRows: prefillRows).answers(requests)
        #expect(answers.count == requests.count)
        for id in [101, 102, 106] as [UInt64] {
            let result = try #require(answers[id])
            #expect(throws: ModelError.self, "\(id)") { try result.get() }
        }
        for id in [103, 104, 105] as [UInt64] {
            let result = try #require(answers[id])
            #expect(throws: ReductionError.self, "\(id)") { try result.get() }
        }
        for request in [requests[0], requests[4], requests[8]] {
            let result = try #require(answers[request.id]).get()
            #expect(try result.tokenIDs == questioner.engine().answer(request).tokenIDs)
        }
        #expect(try answers[0]?.get().tokenIDs == questioner.prompts[0].token_ids)
    }

    @Test("a failure does not disturb the answers being written")
    func whileOthersRun() throws {
        let questioner = try Questioner("small"), engine = questioner.engine(capacity: 2)
        engine.admit(try questioner.request(0))
        for _ in 0..<5 { #expect(try engine.step().isEmpty) }
        let good = try questioner.request(1)
        engine.admit(
            GenerationRequest(
                id: 99,
                prompt: try MultimodalPrompt(
                    ids: [640] + Array(repeating: 5, count: 4000), imageToken: 640, visualTokens: 16),
                pictures: good.pictures, plan: good.plan, sampling: .greedy, maxTokens: 4))
        let ended = try engine.step()
        #expect(ended.map(\.id) == [99])
        let rest = try engine.answers([good])
        #expect(try rest[0]?.get().tokenIDs == questioner.prompts[0].token_ids)
        #expect(try rest[1]?.get().tokenIDs == questioner.prompts[1].token_ids)
    }

    @Test("a cancelled request never ends; the others do")
    func cancelled() throws {
        let questioner = try Questioner("small"), engine = questioner.engine(capacity: 2)
        for index in 0..<4 { engine.admit(try questioner.request(index)) }
        #expect(try engine.step().isEmpty)
        engine.cancel(0)  // being answered
        engine.cancel(3)  // waiting
        let ended = try engine.answers([])
        #expect(ended.keys.sorted() == [1, 2])
        for (id, result) in ended {
            let expected = try questioner.prompts[Int(id)].token_ids
            #expect(try result.get().tokenIDs == expected)
        }
    }
}
