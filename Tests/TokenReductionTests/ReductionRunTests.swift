import JobVocabulary
import Tensors
import Testing
import TokenReduction

/// A small model that only produces evidence: random attention for every layer of tower and decoder.
struct Walk {
    var hidden: Tensor
    var run: PictureRun
    var seed: Int
    private var text = 0

    init(_ plan: ReductionPlan, seed: Int) throws {
        run = try PictureRun(plan: plan, grid: PatchGrid(rows: 6, columns: 6))
        var generator = Generator(seed: seed)
        hidden = generator.states(rows: 37, width: 4)
        self.seed = seed
    }

    var layout: TokenLayout {
        text == 0
            ? .encoder(visualTokens: hidden.rows - 1)
            : TokenLayout(rows: hidden.rows, visual: [3..<hidden.rows - 5])
    }

    /// One layer; throws what the run throws.
    mutating func layer(_ place: ReductionPlace, _ index: Int) throws {
        if place == .languageModel, index == 0 { try run.enter(hidden, layout: layout) }
        let needs = try run.needs(place: place, layer: index)
        var generator = Generator(seed: seed * 1000 + index)
        let scores: AttentionScores = needs.contains(.attentionLogits) ? .logits : .probabilities
        let map = try AttentionMap(
            averagingHeadsOf: generator.attention(
                heads: 2, rows: hidden.rows, scores: scores, causal: place == .languageModel), scores: scores)
        let evidence = try Evidence.made(map, layout, seed: seed * 1000 + 500 + index, needs: needs)
        try run.remember(evidence, place: place, layer: index, layout: layout)
        let kept = try run.reduce(place: place, layer: index, hidden: hidden, evidence: evidence, layout: layout)
        hidden = hidden.gathered(kept)
    }

    /// Class token off, three rows of text before and five after.
    mutating func enterDecoder() {
        var generator = Generator(seed: 77)
        let (before, after) = (generator.numbers(12), generator.numbers(20))
        let visual = hidden.table.dropFirst().flatMap { $0 }
        text = 8
        hidden = Tensor(before + visual + after, shape: [visual.count / 4 + 8, 4])
    }

    mutating func all() throws -> ReductionTrace {
        for index in 0..<run.plan.model.visionLayers { try layer(.visionEncoder, index) }
        try run.checkDelivered(after: .visionEncoder)
        try layer(.projector, 0)
        enterDecoder()
        for index in 0..<run.plan.model.languageLayers { try layer(.languageModel, index) }
        return try run.trace()
    }
}

@Suite("A run through the layers")
struct ReductionRunTests {
    private let model = ModelDepth(visionLayers: 5, languageLayers: 6, visualTokens: 36)

    @Test(
        "delivers the planned number and accounts for every token", arguments: MethodCatalogue.all.map(\.name), [9, 36])
    func trace(name: String, keep: Int) throws {
        let keep = name == "none" ? 36 : keep
        let plan = try ReductionPlan(method: name, keep: keep, model: model)
        var walk = try Walk(plan, seed: 3)
        let trace = try walk.all()
        #expect(walk.hidden.rows == keep + 8)
        #expect(trace.kept.count == keep)
        #expect(Set(trace.kept).count == keep)
        #expect(trace.kept.map { Int($0) } == walk.run.positions)

        let removals = ReductionPlace.allCases.flatMap { plan.removals(in: $0) }
        #expect(trace.steps.map { $0.tokensIn - $0.tokensOut } == removals.filter { $0 > 0 })
        #expect(trace.steps.allSatisfy { $0.seconds >= 0 })
        for (index, step) in trace.steps.enumerated() {
            #expect(trace.leftAt.count { $0 == index } == step.tokensIn - step.tokensOut)
        }
        for token in 0..<36 {
            let edges = trace.merges.filter { $0.source == token }
            if trace.leftAt[token] == ReductionTrace.survived {
                #expect(trace.kept.contains(UInt16(token)))
                #expect(trace.wentTo[token] == token)
                #expect(edges.isEmpty)
            } else {
                #expect(edges.allSatisfy { $0.step == trace.leftAt[token] })
                #expect(edges.allSatisfy { trace.leftAt[Int($0.target)] > $0.step })
                let largest = edges.max { $0.weight < $1.weight }?.target ?? ReductionTrace.discarded
                #expect(trace.wentTo[token] == largest)
            }
        }
    }

    @Test("asks for evidence only where it reduces")
    func needs() throws {
        let plan = try ReductionPlan(method: "ficoco-vl", keep: 9, model: model)
        let tile = try TileReduction(plan: plan, grid: PatchGrid(rows: 6, columns: 6))
        let sequence = try SequenceReduction([tile], plan: plan)
        #expect(
            (0..<5).map { tile.needs(place: .visionEncoder, layer: $0).isEmpty } == [true, true, false, false, false])
        #expect(tile.needs(place: .visionEncoder, layer: 2) == .attentionLogits)
        #expect((0..<6).allSatisfy { sequence.reduces(layer: $0) == ($0 >= 1) })
        let probabilities = try ReductionPlan(
            method: "ficoco-v", keep: 9, options: ["scores": "probabilities"], model: model)
        let other = try TileReduction(plan: probabilities, grid: PatchGrid(rows: 6, columns: 6))
        #expect(other.needs(place: .visionEncoder, layer: 4) == .attentionProbabilities)
    }

    @Test("two images do not see each other")
    func isolation() throws {
        let plan = try ReductionPlan(method: "ficoco-vl", keep: 9, model: model)
        var (alone, other) = (try Walk(plan, seed: 3), try Walk(plan, seed: 4))
        let expected = try alone.all()
        _ = try other.all()

        var (first, second) = (try Walk(plan, seed: 3), try Walk(plan, seed: 4))
        for index in 0..<5 {
            try second.layer(.visionEncoder, index)
            try first.layer(.visionEncoder, index)
        }
        first.enterDecoder()
        second.enterDecoder()
        for index in 0..<6 {
            try first.layer(.languageModel, index)
            try second.layer(.languageModel, index)
        }
        #expect(first.hidden.doubles == alone.hidden.doubles)
        #expect(second.hidden.doubles == other.hidden.doubles)
        let trace = try first.run.trace()
        #expect(trace.leftAt == expected.leftAt)
        #expect(trace.merges == expected.merges)
        #expect(try trace.leftAt != second.run.trace().leftAt)
    }

    @Test("a layer left out, or rows not dropped, is found out")
    func counts() throws {
        let plan = try ReductionPlan(method: "ficoco-v", keep: 9, model: model)
        var skipped = try Walk(plan, seed: 3)
        try skipped.layer(.visionEncoder, 2)
        #expect(throws: ReductionError.self) { try skipped.layer(.visionEncoder, 4) }
        #expect(throws: ReductionError.self) { try skipped.run.checkDelivered(after: .visionEncoder) }
        #expect(throws: ReductionError.self) { try skipped.run.trace() }

        var careless = try Walk(plan, seed: 3)
        let whole = careless.hidden
        try careless.layer(.visionEncoder, 2)
        careless.hidden = whole
        let error = try #require(throws: ReductionError.self) { try careless.layer(.visionEncoder, 3) }
        #expect(error.code == .unexpectedCount)
    }

    @Test("words between two pictures go on rating wherever reductions move them")
    func ratersBetweenPictures() throws {
        let model = ModelDepth(visionLayers: 1, languageLayers: 6, visualTokens: 4)
        let plan = try ReductionPlan(
            method: "sparsevlm", keep: 1, options: ["recycle": "false", "schedule": "before:1,3,5"], model: model)
        let tile = try TileReduction(plan: plan, grid: PatchGrid(rows: 2, columns: 2))
        var sequence = try SequenceReduction([tile, tile], plan: plan)
        // Two words, a picture, two words, a picture, two words; only row 6 is like what is seen.
        var names = [nil, nil, 0, 1, 2, 3, nil, nil, 4, 5, 6, 7, nil, nil] as [Int?]
        var rater = 6
        let states = Tensor(
            names.indices.flatMap { [names[$0] != nil ? 1 : $0 == rater ? 5 : 0, 0] as [Double] }, shape: [14, 2])
        var layout = TokenLayout(rows: 14, visual: [2..<6, 8..<12])
        try sequence.enter(states, layout: layout)
        var hidden = states
        for layer in 0..<6 {
            // The rater looks most at the last token, everybody else at the first.
            let cells = names.indices.flatMap { row in
                names.map { name in name.map { Double(row == rater ? 1 + $0 : 8 - $0) / 100 } ?? 0 }
            }
            let map = try AttentionMap(Tensor(cells, shape: [names.count, names.count]))
            let kept = try sequence.reduce(
                layer: layer, hidden: hidden, evidence: Evidence(attention: map), layout: layout)
            names = kept.map { names[$0] }
            rater = try #require(kept.firstIndex(of: rater))
            layout = layout.keeping(kept)
            hidden = hidden.gathered(kept)
        }
        #expect(try sequence.trace().kept == [6, 7])
    }

    @Test("after the projector the class token's attention is that to the tokens which the tower left")
    func classAttentionOfWhatIsLeft() throws {
        func stages(_ schedule: Schedule) -> Stages {
            Stages(filter: ObserverAttention(), correlate: NoTarget(), compress: NoMerge(), schedule: schedule)
        }
        let method = ReductionMethod(
            encoder: stages(Schedule(from: 0, of: 2, fixedFirstLayer: 0)), projector: stages(.afterLast),
            encoderBudget: .tokens(5))
        let plan = try ReductionPlan(
            method: method, keep: 2, model: ModelDepth(visionLayers: 2, languageLayers: 1, visualTokens: 9))
        var tile = try TileReduction(plan: plan, grid: PatchGrid(rows: 3, columns: 3))
        /// What the class token's row of 1 + tokens looks like where it looks at the tokens that are left as `attention` says.
        func layer(_ place: ReductionPlace, _ index: Int, _ attention: [Double]?) throws {
            let rows = tile.positions.count + 1, layout = TokenLayout.encoder(visualTokens: rows - 1)
            let evidence = Evidence(
                observer: attention.map { seen in
                    Tensor([0] + tile.positions.map { seen[$0] }, shape: [1, rows])
                })
            if place == .visionEncoder { tile.remember(evidence, place: place, layer: index, layout: layout) }
            _ = try tile.reduce(
                place: place, layer: index, hidden: Tensor([Double](repeating: 1, count: rows), shape: [rows, 1]),
                evidence: evidence, layout: layout)
        }
        // Gives up 0 and 4; of the others 1 and 8 are looked at least in the last layer, 7 and 3 most.
        try layer(.visionEncoder, 0, [0.01, 0.1, 0.1, 0.1, 0.02, 0.1, 0.1, 0.1, 0.1])
        #expect(tile.positions == [1, 2, 3, 5, 6, 7, 8])
        try layer(.visionEncoder, 1, [0.9, 0.01, 0.1, 0.2, 0.9, 0.11, 0.12, 0.3, 0.02])
        #expect(tile.positions == [2, 3, 5, 6, 7])
        try layer(.projector, 0, nil)
        #expect(tile.positions == [3, 7])
    }

    @Test("shapes that do not belong together are errors")
    func mismatches() throws {
        let plan = try ReductionPlan(method: "ficoco-v", keep: 9, model: model)
        #expect(throws: ReductionError.self) { try TileReduction(plan: plan, grid: PatchGrid(rows: 6, columns: 5)) }
        #expect(throws: ReductionError.self) { try PatchGrid(rows: .max, columns: 3) }
        #expect(throws: ReductionError.self) { try PatchGrid(rows: 0, columns: 3) }
        var run = try PictureRun(plan: plan, grid: PatchGrid(rows: 6, columns: 6))
        let hidden = Tensor([Float](repeating: 0, count: 37 * 2), shape: [37, 2])
        let small = try AttentionMap(
            Tensor([Float](repeating: 0, count: 36 * 36), shape: [36, 36]), scores: .logits)
        let right = try AttentionMap(
            Tensor([Float](repeating: 0, count: 37 * 37), shape: [37, 37]), scores: .logits)
        let cases: [(Tensor, AttentionMap, TokenLayout)] = [
            (hidden, small, .encoder(visualTokens: 36)),
            (hidden.rows(0..<36), right, .encoder(visualTokens: 36)),
            (hidden, right, TokenLayout(rows: 37, visual: [2..<38], classToken: 0)),
            (hidden, right, TokenLayout(rows: 37, visual: [1..<37], classToken: 5)),
            (Tensor(shape: [37, 2], type: .bfloat16), right, .encoder(visualTokens: 36)),
        ]
        for (hidden, map, layout) in cases {
            let error = try #require(throws: ReductionError.self) {
                try run.reduce(
                    place: .visionEncoder, layer: 2, hidden: hidden, evidence: Evidence(attention: map), layout: layout)
            }
            #expect(error.code == .mismatch)
        }
    }
}
