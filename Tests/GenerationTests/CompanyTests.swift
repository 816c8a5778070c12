import Foundation
import Generation
import JobModel
import Tensors
import TestSupport
import Testing
import TokenReduction
import VisionLanguage

/// A job's answer is the same to the last bit whatever runs beside it: the promise that results of a batch do not depend on
/// how it was cut into pieces.
@Suite struct CompanyTests {
    private static let methods: [(name: String, keep: Int?)] = [
        ("none", nil), ("ficoco-v", 6), ("ficoco-l", 6), ("ficoco-vl", 6), ("tome", 10), ("fastv", 6), ("vispruner", 6),
        ("sparsevlm", 6), ("pyramiddrop", 6), ("divprune", 6),
    ]
    private static let formats: [WeightFormat?] = [nil] + WeightFormat.allCases

    /// What must not differ.
    private struct Outcome: Equatable {
        let ids: [Int]
        let logProbabilities: [UInt32]
        let kept: [UInt16]
        let features: [UInt32]
        let operations: Int

        init(_ result: GenerationResult) {
            ids = result.tokenIDs
            logProbabilities = result.logProbabilities.map(\.bitPattern)
            kept = result.trace.kept
            features = result.features.floats.map(\.bitPattern)
            operations = result.flops.total
        }
    }

    private func request(_ asked: Questioner, _ number: Int, shared: Bool) throws -> GenerationRequest {
        let (name, keep) = Self.methods[number % Self.methods.count], prompt = number % 8
        guard number % 3 < 2 else {
            return try asked.request(
                "What differs?", pictures: [prompt % 6, (prompt + 1) % 6], id: UInt64(number), template: .hf,
                method: name, keep: keep, key: shared ? name : nil, maxTokens: 4)
        }
        let picture = try asked.prompts[prompt]
        return try asked.request(
            prompt, id: UInt64(number), method: name, keep: keep,
            key: shared ? "\(picture.image) \(picture.image_mode) \(name)" : nil, maxTokens: 4)
    }

    @Test("alone, with others, on one thread or more, with or without shared features", arguments: formats)
    func company(_ weights: WeightFormat?) throws {
        let count = 64
        let single = try Questioner("small", weights: weights, backend: CPUBackend(precision: .float32, threads: 1))
        let alone = try (0..<count).map {
            try single.engine(capacity: 1).answer(request(single, $0, shared: false))
        }
        // The tests would hold of a model that says the same whatever it is asked.
        #expect(Set(alone.map(\.tokenIDs)).count > 4)
        for (threads, capacity, shared, rows) in [
            (2, 1, true, 1024), (2, 2, false, 1024), (1, 8, true, 1024), (2, 8, false, 60), (2, 64, true, 1024),
            (3, 64, false, 1 << 20),
        ] {
            let asked = try Questioner(
                "small", weights: weights, backend: CPUBackend(precision: .float32, threads: threads))
            let answers = try asked.engine(capacity: capacity, prefillRows: rows).answers(
                (0..<count).map { try request(asked, $0, shared: shared) })
            for number in 0..<count {
                let outcome = Outcome(try #require(answers[UInt64(number)]).get())
                #expect(
                    outcome == Outcome(alone[number]),
                    "request \(number) (\(Self.methods[number % Self.methods.count].name)) on \(threads) threads beside \(capacity - 1)"
                )
            }
        }
    }

    @Test("bf16, where the processor multiplies it", .enabled(if: CPUBackend.hasBFloat16, "this processor has no bf16"))
    func bfloat16() throws {
        func answers(_ threads: Int, _ capacity: Int) throws -> [Outcome] {
            let asked = try Questioner(
                "small", weights: .bf16, backend: CPUBackend(precision: .bfloat16, threads: threads))
            let answers = try asked.engine(capacity: capacity).answers(
                (0..<16).map { try request(asked, $0, shared: capacity > 1) })
            return try (0..<16).map { Outcome(try #require(answers[UInt64($0)]).get()) }
        }
        let alone = try answers(1, 1)
        #expect(try answers(2, 8) == alone)
        #expect(try answers(2, 16) == alone)
    }
}
