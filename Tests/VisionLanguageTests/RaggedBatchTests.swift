import Tensors
import Testing
import TokenReduction
import VisionLanguage

/// Jobs of different pictures, prompts, methods and budgets run as one ragged batch and do not see each other.
struct RaggedBatchTests {
    /// The prompts of the checkpoint in turn, with a method each.
    private static let methods: [(name: String, keep: Int?)] = [
        ("none", nil), ("ficoco-v", 192), ("ficoco-v", 64), ("ficoco-l", 100), ("ficoco-vl", 80), ("ficoco-l", 1),
        ("tome", 150), ("evit", 90), ("visionzip", 64), ("divprune", 50), ("fastv", 77), ("average-pool", 36),
        ("vispruner", 64), ("cdpruner", 12), ("random", 5), ("pyramiddrop", 72), ("sparsevlm", 64), ("prumerge", 64),
        ("dart", 64),
    ]
    /// Where, after them, two steps look at the next layer and merge into rows that it is yet to read.
    private static let merging = ["decoder", "encoder"]

    private typealias Answers = [GreedyModel.Answer]

    @Test("in float64, logits are the same to the last bit")
    func portable() throws {
        let (together, alone) = try answers(PortableBackend(type: .float64), tokens: 2)
        for (one, other) in zip(together, alone) { #expect(one.logits == other.logits) }
        try expectEqual(together, alone)
    }

    @Test("in single precision, the same tokens are kept and written")
    func single() throws {
        let (together, alone) = try answers(CPUBackend(precision: .float32, threads: 2), tokens: 12)
        for (one, other) in zip(together, alone) { #expect(relativeError(one.logits, other.logits) < 1e-5) }
        try expectEqual(together, alone)
    }

    @Test(
        "in bf16, the same tokens are kept",
        .enabled(if: CPUBackend.hasBFloat16, "needs a processor with AVX-512 BF16"))
    func half() throws {
        let (together, alone) = try answers(CPUBackend(precision: .bfloat16, threads: 2), tokens: 1)
        for (one, other) in zip(together, alone) {
            #expect(try one.sequence.reduction.trace().kept == other.sequence.reduction.trace().kept)
        }
    }

    @Test("the order of a batch does not matter")
    func order() throws {
        let greedy = try GreedyModel(directory: Golden.all[0].directory, backend: PortableBackend(type: .float32))
        let (inputs, plans) = try jobs(greedy)
        let forth = try greedy.answer(inputs, plans: plans, tokens: 1)
        let back = try greedy.answer(inputs.reversed(), plans: plans.reversed(), tokens: 1)
        for (one, other) in zip(forth, back.reversed()) { #expect(one.logits == other.logits) }
    }

    private func expectEqual(_ together: Answers, _ alone: Answers) throws {
        for (one, other) in zip(together, alone) {
            let (left, right) = try (one.sequence.reduction.trace(), other.sequence.reduction.trace())
            #expect(left.leftAt == right.leftAt)
            #expect(left.kept == right.kept)
            #expect(left.merges.map(\.target) == right.merges.map(\.target))
            #expect(one.ids == other.ids)
            #expect(one.encoded.map(\.towerFLOPs) == other.encoded.map(\.towerFLOPs))
            #expect(one.encoded.map(\.projectorFLOPs) == other.encoded.map(\.projectorFLOPs))
            #expect(one.sequence.prefillFLOPs == other.sequence.prefillFLOPs)
            #expect(one.sequence.decodeFLOPs == other.sequence.decodeFLOPs)
            #expect(one.sequence.cacheBytes == other.sequence.cacheBytes)
        }
    }

    private func jobs(_ greedy: GreedyModel) throws -> ([(MultimodalPrompt, Tensor)], [ReductionPlan]) {
        let prompts = try Golden.all[0].prompts()
        var plans = try Self.methods.map { try greedy.plan($0.name, keep: $0.keep) }
        for place in Self.merging {
            let options = [
                "filter": "upcoming-attention", "correlate": "key-neighbours", "compress": "neighbour-sum",
                "place": place, "schedule": "before:1,2",
            ]
            plans.append(try greedy.plan("composed", keep: 64, options: options))
        }
        return (try plans.indices.map { try greedy.prompt(prompts[$0 % prompts.count]) }, plans)
    }

    private func answers(_ backend: any Backend, tokens: Int) throws -> (together: Answers, alone: Answers) {
        let greedy = try GreedyModel(directory: Golden.all[0].directory, backend: backend)
        let (inputs, plans) = try jobs(greedy)
        let together = try greedy.answer(inputs, plans: plans, tokens: tokens)
        let alone = try zip(inputs, plans).flatMap { try greedy.answer([$0], plans: [$1], tokens: tokens) }
        return (together, alone)
    }
}
