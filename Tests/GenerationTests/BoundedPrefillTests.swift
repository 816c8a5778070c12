import Generation
import Tensors
import Testing
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

    @Test("a prefill has at most so many rows, or one prompt")
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
        #expect(try started(1) == [1, 1, 1, 1])
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
