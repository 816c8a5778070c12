import JobVocabulary
import Tensors
import TestSupport
import Testing
import TokenReduction
import VisionLanguage

/// What holds of every method when pictures are several tiles.
struct NextReductionTests {
    private static let pictures = ["wide", "tall"]
    /// Tiles of the two pictures, 16 tokens each; of their grids 48 and 24 tokens show the picture.
    private static let (tiles, tokens, arranged, newlines) = (5 + 3, 128, 2 * 16 + 48 + 24, 6 + 6)

    private func greedy() throws -> GreedyModel {
        try GreedyModel(
            directory: NextGolden.checkpoint.directory, backend: CPUBackend(precision: .float32, threads: 1))
    }

    @Test("every method keeps its budget for each tile", arguments: MethodCatalogue.all.map(\.name))
    func budgets(method: String) throws {
        let greedy = try greedy(), plan = try greedy.plan(method, keep: method == "none" ? nil : 6)
        let input = try greedy.input("One <image> or two <image>, which?", pictures: Self.pictures, plan)
        let answer = try greedy.answer([input], tokens: 2)[0]
        let trace = try answer.sequence.reduction.trace(), text = input.prompt.text.count
        #expect(trace.leftAt.count == Self.tokens)
        let entering = greedy.model.features(of: input).rows
        if plan.reducesBeforeLanguageModel {
            #expect(entering == Self.tiles * plan.delivered || plan.isOpen && entering < Self.tiles * plan.delivered)
            #expect(answer.sequence.promptTokens == text + entering)
            #expect(!trace.leftAt.contains(ReductionTrace.leftOut))
        } else {
            #expect(entering == Self.arranged)
            #expect(answer.sequence.promptTokens == text + Self.arranged + Self.newlines)
            #expect(trace.leftAt.count { $0 == ReductionTrace.leftOut } == Self.tokens - Self.arranged)
            let own = input.pictures[0].tiling.tokens + input.pictures[1].tiling.tokens.map { 80 + $0 }
            for token in 0..<Self.tokens {
                #expect((trace.leftAt[token] == ReductionTrace.leftOut) == !own.contains(token))
            }
            if method == "none" { #expect(trace.kept.map { Int($0) } == own) }
        }
        let expected = method == "none" ? Self.arranged : Self.tiles * 6
        #expect(trace.kept.count == expected || plan.isOpen && trace.kept.count <= expected)
        #expect(Set(trace.kept).count == trace.kept.count)
        for (token, step) in trace.leftAt.enumerated() {
            #expect((step == ReductionTrace.survived) == trace.kept.contains(UInt16(token)))
            if step == ReductionTrace.leftOut { #expect(trace.wentTo[token] == ReductionTrace.discarded) }
        }
        for (index, step) in trace.steps.enumerated() {
            #expect(trace.leftAt.count { $0 == index } == step.tokensIn - step.tokensOut)
        }
        for merge in trace.merges where trace.steps[Int(merge.step)].place != .languageModel {
            #expect(merge.source / 16 == merge.target / 16, "merged across tiles before the language model")
        }
        // Tile after tile, each in the order that it was handed on in.
        if plan.reducesBeforeLanguageModel, !plan.reduces(in: .languageModel) {
            let kept = input.tiles.enumerated().flatMap { number, tile in
                tile.reduction.history.kept.map { UInt16(16 * number) + $0 }
            }
            #expect(trace.kept == kept)
        }
    }

    @Test("a tile is reduced as if it were alone")
    func alone() throws {
        let greedy = try greedy(), plan = try greedy.plan("ficoco-v", keep: 6)
        let input = try greedy.input("<image><image>", pictures: Self.pictures, plan)
        let prepared = try Self.pictures.flatMap {
            try greedy.processor.prepare(path: NextGolden.path($0), framing: nil).tiles
        }
        for (tile, prepared) in zip(input.tiles, prepared) {
            let alone = try greedy.model.encode([TileRequest(patches: prepared.patches, plan: plan)])[0]
            #expect(alone.features.doubles == tile.features.doubles)
            #expect(alone.reduction.history.kept == tile.reduction.history.kept)
        }
    }

    @Test("a budget in the language model is at most what enters it")
    func padding() throws {
        let greedy = try greedy(), plan = try greedy.plan("fastv", keep: 15)
        let input = try greedy.input("USER: <image>\nWhat is this? ASSISTANT:", pictures: ["panorama"], plan)
        let reduced = try greedy.answer([input], tokens: 4)[0]
        // 4 tiles of 15 are more than the 16 + 2 x 12 tokens that show the picture.
        #expect(try reduced.sequence.reduction.trace().kept.count == 40)
        let whole = DecoderInput(input.prompt, input.pictures, plan: try greedy.plan())
        let unreduced = try greedy.answer([whole], tokens: 4)[0]
        #expect(reduced.logits == unreduced.logits && reduced.ids == unreduced.ids)
    }
}
