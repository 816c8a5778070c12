import Generation
import Tensors
import Testing
import TokenReduction
import VisionLanguage

/// How many requests an engine takes at once.
@Suite struct BoundedPrefillTests {
    @Test("requests about one picture start together, ahead of those that came between")
    func onePicture() throws {
        let asked = try Questioner("small"), engine = asked.engine(capacity: 2)
        for (id, picture) in ["a", "b", "a", "b"].enumerated() {
            engine.admit(try asked.request(picture == "a" ? 0 : 1, id: UInt64(id), key: picture, maxTokens: 1))
        }
        #expect(Set(try engine.step().map(\.id)) == [0, 2])
        #expect(Set(try engine.step().map(\.id)) == [1, 3])
        #expect(engine.isIdle)
    }

    @Test("a prefill has at most so many rows")
    func rows() throws {
        let asked = try Questioner("small")
        let rows = try asked.engine().answer(asked.request(0, maxTokens: 1)).promptTokens
        func started(_ bound: Int) throws -> [Int] {
            let engine = asked.engine(capacity: 8, prefillRows: bound)
            for id in 0..<4 { engine.admit(try asked.request(0, id: UInt64(id), maxTokens: 1)) }
            var counts: [Int] = []
            while !engine.isIdle { counts.append(try engine.step().count) }
            return counts
        }
        #expect(try started(4 * rows) == [4])
        #expect(try started(4 * rows - 1) == [3, 1])
        #expect(try started(2 * rows) == [2, 2])
        // A prompt of more rows is read in pieces.
        #expect(try started(rows - 1) == [0, 1, 0, 1, 0, 1, 0, 1])
        #expect(try started(1).count == 4 * rows)
    }

    @Test(
        "a prompt that is read in pieces has the same answer to the last bit",
        arguments: [
            "none", "ficoco-v", "ficoco-l", "ficoco-vl", "fastv", "dart", "sparsevlm", "pyramiddrop",
        ], [1, 5, 20])
    func pieces(method: String, bound: Int) throws {
        let asked = try Questioner("small"), keep = method == "none" ? nil : 6
        let whole = try asked.engine().answer(asked.request(1, method: method, keep: keep))
        #expect(whole.promptTokens > 20)
        let engine = asked.engine(prefillRows: bound)
        // Alone, as the first whose beginning others share, and from that beginning on.
        let answers = try (0..<3).map {
            try engine.answer(asked.request(1, id: $0, method: method, keep: keep, key: $0 == 0 ? nil : "a"))
        }
        for answer in answers {
            #expect(answer.tokenIDs == whole.tokenIDs && answer.logProbabilities == whole.logProbabilities)
            #expect(answer.trace.kept == whole.trace.kept && answer.flops == whole.flops)
            #expect(answer.cacheBytes == whole.cacheBytes && answer.promptTokens == whole.promptTokens)
        }
    }

    @Test("while a long prompt is read, the others' answers go on")
    func othersGoOn() throws {
        let asked = try Questioner("small"), engine = asked.engine(prefillRows: 8)
        let answer = try asked.engine().answer(asked.request(0, maxTokens: 4))
        let pieces = (answer.promptTokens + 7) / 8
        try #require(answer.tokenIDs.count == 4 && pieces > 3)
        engine.admit(try asked.request(0, id: 0, maxTokens: 4))
        for _ in 1..<pieces { #expect(try engine.step().isEmpty) }
        // With the last piece comes the first token, and a second one; then another prompt begins.
        #expect(try engine.step().isEmpty)
        engine.admit(try asked.request(0, id: 1, maxTokens: 4))
        #expect(try engine.step().isEmpty)
        #expect(try engine.step().map(\.id) == [0])
        for _ in 3...pieces { #expect(try engine.step().isEmpty) }
        let rest = try engine.answers([])
        #expect(try rest.keys.sorted() == [1] && rest[1]?.get().tokenIDs == answer.tokenIDs)
    }

    @Test("a request that is cancelled while its prompt is read never ends")
    func cancelled() throws {
        let asked = try Questioner("small"), engine = asked.engine(prefillRows: 8)
        for id in 0..<2 { engine.admit(try asked.request(0, id: UInt64(id), key: "a", maxTokens: 3)) }
        #expect(try engine.step().isEmpty)
        engine.cancel(0)
        let ended = try engine.answers([])
        let alone = try asked.engine().answer(asked.request(0, maxTokens: 3))
        let answer = try #require(ended[1]).get()
        #expect(ended.count == 1 && answer.tokenIDs == alone.tokenIDs && answer.flops == alone.flops)
    }

    @Test(
        "pieces, the last of one row, change no bit in any format",
        arguments: [nil, .int8, .w8a8, .int4, .bf16] as [WeightFormat?])
    func formats(weights: WeightFormat?) throws {
        for backend in [CPUBackend(precision: .float32, threads: 2), PortableBackend(type: .float32)] as [any Backend] {
            let asked = try Questioner("small", weights: weights, backend: backend)
            let whole = try asked.engine().answer(asked.request(1, method: "fastv", keep: 6))
            let bound = whole.promptTokens - 1
            let read = try asked.engine(prefillRows: bound).answer(asked.request(1, method: "fastv", keep: 6))
            #expect(read.tokenIDs == whole.tokenIDs && read.logProbabilities == whole.logProbabilities)
            #expect(read.trace.kept == whole.trace.kept && read.flops == whole.flops)
        }
    }

    @Test("a beginning that is shared counts once")
    func sharedRows() throws {
        let asked = try Questioner("small")
        let rows = try asked.engine().answer(asked.request(0, maxTokens: 1)).promptTokens
        let after = try asked.request(0).prompt.after.count
        let engine = asked.engine(capacity: 8, prefillRows: rows + 3 * after)
        for id in 0..<4 { engine.admit(try asked.request(0, id: UInt64(id), key: "a", maxTokens: 1)) }
        #expect(try engine.step().count == 4)
    }

    @Test("new requests wait until keys and values have room; a single one never does")
    func cache() throws {
        let asked = try Questioner("small")
        let rows = try asked.engine().answer(asked.request(0, maxTokens: 1)).promptTokens
        func running(_ bound: Int) throws -> [Int] {
            let engine = asked.engine(capacity: 8, cacheBytes: bound)
            for id in 0..<3 { engine.admit(try asked.request(0, id: UInt64(id), maxTokens: 1)) }
            var counts: [Int] = []
            while !engine.isIdle { counts.append(try engine.step().count) }
            return counts
        }
        let one = (rows + 1) * asked.model.cacheBytesPerRow
        #expect(try running(3 * one) == [3])
        #expect(try running(3 * one - 1) == [2, 1])
        #expect(try running(0) == [1, 1, 1])
    }
}
