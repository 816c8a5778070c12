import Generation
import JobModel
import JobVocabulary
import Tensors
import Testing
import TokenReduction

/// Prompts that begin alike and show the same picture share the reading of that beginning.
struct SharedPrefixTests {
    @Test("a shared beginning changes no answer", arguments: ["none", "ficoco-v"])
    func sameAnswers(method: String) throws {
        let questioner = try Questioner("small", backend: PortableBackend(type: .float64))
        let keep = method == "none" ? nil : 6
        let alone = try questioner.engine().answer(questioner.request(1, method: method, keep: keep))
        let engine = questioner.engine()
        let together = try engine.answers(
            (0..<3).map { try questioner.request(1, id: $0, method: method, keep: keep, key: "picture") })
        let later = try engine.answer(questioner.request(1, id: 3, method: method, keep: keep, key: "picture"))
        let results = try (0..<3).map { try #require(together[$0]).get() } + [later]
        #expect(!alone.reusedPrefix)
        #expect(results.map(\.reusedPrefix) == [false, true, true, true])
        for result in results {
            #expect(result.tokenIDs == alone.tokenIDs)
            #expect(result.promptTokens == alone.promptTokens)
            #expect(result.cacheBytes == alone.cacheBytes)
            for (one, other) in zip(result.logProbabilities, alone.logProbabilities) {
                #expect(abs(one - other) < 1e-6)
            }
            #expect(result.flops == alone.flops)
        }
    }

    @Test("different questions about one picture go on from the same beginning")
    func differentQuestions() throws {
        let questioner = try Questioner("small", backend: PortableBackend(type: .float64))
        let prompts = try questioner.prompts
        let first = try #require(prompts.firstIndex { $0.template == "hf" })
        let second = try #require(
            prompts.lastIndex {
                $0.template == "hf" && $0.image == prompts[first].image && $0.image_mode == prompts[first].image_mode
            })
        let shared = try questioner.engine().answers([
            questioner.request(first, id: 0, key: "picture"), questioner.request(second, id: 1, key: "picture"),
        ])
        #expect(try #require(shared[1]).get().reusedPrefix)
        #expect(try #require(shared[0]).get().tokenIDs == prompts[first].token_ids)
        #expect(try #require(shared[1]).get().tokenIDs == prompts[second].token_ids)
    }

    @Test(
        "a reduction inside the decoder shares the beginning up to the first layer that it looks at, and changes no bit",
        arguments: ["ficoco-l", "ficoco-vl", "fastv", "dart", "sparsevlm", "pyramiddrop"])
    func decoderMethods(method: String) throws {
        let questioner = try Questioner("small")
        let plan = try questioner.plan(method, keep: 6)
        let shared = plan.undisturbedLayers(of: .languageModel)
        let prompts = try questioner.prompts
        let others = prompts.indices.filter {
            prompts[$0].image == prompts[0].image && prompts[$0].image_mode == prompts[0].image_mode
                && prompts[$0].template == prompts[0].template
        }
        let alone = try others.map { try questioner.engine().answer(questioner.request($0, method: method, keep: 6)) }
        let engine = questioner.engine(capacity: 8)
        let together = try engine.answers(
            others.map { try questioner.request($0, method: method, keep: 6, key: "picture") })
        for (index, number) in others.enumerated() {
            let result = try #require(together[UInt64(number)]).get(),
                later = try engine.answer(
                    questioner.request(number, id: 100, method: method, keep: 6, key: "picture"))
            #expect(result.reusedPrefix == (shared > 0 && index > 0))
            #expect(later.reusedPrefix == (shared > 0))
            for answer in [result, later] {
                #expect(answer.tokenIDs == alone[index].tokenIDs)
                #expect(answer.logProbabilities == alone[index].logProbabilities)
                #expect(answer.trace.kept == alone[index].trace.kept)
                #expect(answer.flops == alone[index].flops)
                #expect(answer.cacheBytes == alone[index].cacheBytes)
            }
        }
    }

    /// PyramidDrop numbers rows anew where it drops any; a prompt that goes on from a shared beginning must not begin at 0.
    @Test("a method that drops nothing goes on where the beginning ends, beside one that drops")
    func besideAReduction() throws {
        let questioner = try Questioner("hf")
        let results = try questioner.engine().answers(
            (0..<2).map { try questioner.request(0, id: $0, method: "pyramiddrop", key: "picture") }
                + [questioner.request(1, id: 2, method: "fastv", keep: 64)])
        let alone = try questioner.engine().answer(questioner.request(0, method: "pyramiddrop"))
        #expect(try alone.tokenIDs == questioner.prompts[0].token_ids && !alone.reusedPrefix)
        for (id, isReused) in [(0, false), (1, true)] as [(UInt64, Bool)] {
            let result = try #require(results[id]).get()
            #expect(result.reusedPrefix == isReused && result.trace.steps.isEmpty)
            #expect(result.tokenIDs == alone.tokenIDs)
            for (one, other) in zip(result.logProbabilities, alone.logProbabilities) {
                #expect(abs(one - other) < 1e-4)
            }
        }
        #expect(try #require(results[2]).get().trace.kept.count == 64)
    }

    @Test("the first of many that come one by one is read once", arguments: ["none", "ficoco-v", "ficoco-l", "fastv"])
    func oneByOne(method: String) throws {
        let questioner = try Questioner("small"), engine = questioner.engine()
        let keep = method == "none" ? nil : 6
        let shares = try questioner.plan(method, keep: keep).undisturbedLayers(of: .languageModel) > 0
        let results = try (0..<3).map {
            try engine.answer(questioner.request(1, id: $0, method: method, keep: keep, key: "picture"))
        }
        #expect(results.map(\.reusedPrefix) == [false, shares, shares])
        for result in results.dropFirst() {
            #expect(result.tokenIDs == results[0].tokenIDs)
            #expect(result.logProbabilities == results[0].logProbabilities)
            #expect(result.flops == results[0].flops)
        }
    }

    @Test("a beginning too large to be remembered is shared by those that start together")
    func tooLarge() throws {
        let questioner = try Questioner("small"), engine = questioner.engine(sharedBytes: 1)
        let together = try engine.answers((0..<3).map { try questioner.request(1, id: $0, key: "picture") })
        let later = try engine.answer(questioner.request(1, id: 3, key: "picture"))
        let results = try (0..<3).map { try #require(together[$0]).get() } + [later]
        #expect(results.map(\.reusedPrefix) == [false, true, true, false])
        #expect(results.allSatisfy { $0.tokenIDs == later.tokenIDs && $0.logProbabilities == later.logProbabilities })
    }

    @Test("another beginning shares nothing")
    func otherBeginning() throws {
        let questioner = try Questioner("small"), engine = questioner.engine()
        #expect(try !engine.answer(questioner.request(0, key: "picture")).reusedPrefix)
        let templates = try questioner.prompts.map(\.template)
        let other = try #require(templates.firstIndex { $0 != templates[0] })
        let results = try engine.answers(
            [questioner.request(0, id: 0, key: "picture"), questioner.request(other, id: 1, key: "picture")])
        #expect(try [0, 1].map { try #require(results[$0]).get().reusedPrefix } == [true, false])
    }
}
