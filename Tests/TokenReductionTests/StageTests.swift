import Tensors
import Testing
import TokenReduction

@Suite("Stages on numbers small enough to check by hand")
struct StageTests {
    private func view(_ grid: PatchGrid, positions: [Int]) throws -> LayerView {
        try LayerView(
            layout: .encoder(visualTokens: positions.count), evidence: Evidence(), grid: grid, positions: positions)
    }

    @Test("the local penalty doubles the winner of a window, and halves a negative one")
    func localPenalty() throws {
        let grid = try PatchGrid(rows: 2, columns: 5)
        var scores = [1.0, 1.2, -3, -2, 9, 1.1, 1.6, -4, -5, 8]
        LocalPenalty(window: 2, factor: 2).apply(to: &scores, in: try view(grid, positions: Array(0..<10)))
        #expect(scores == [1.0, 1.2, -3, -1, 9, 1.1, 3.2, -4, -5, 8])
    }

    @Test("the local penalty goes by original positions, and the first of equals wins")
    func localPenaltyOnSurvivors() throws {
        let grid = try PatchGrid(rows: 4, columns: 4)
        var scores = [1.0, 1.0, 2.0, 0.5]
        LocalPenalty(window: 2, factor: 2).apply(to: &scores, in: try view(grid, positions: [1, 4, 6, 15]))
        #expect(scores == [2.0, 1.0, 4.0, 1.0])
        var untouched = [1.0, 1.0, 2.0, 0.5]
        LocalPenalty(window: 2, factor: 1).apply(to: &untouched, in: try view(grid, positions: [1, 4, 6, 15]))
        #expect(untouched == [1.0, 1.0, 2.0, 0.5])
    }

    @Test("the largest scores go first, the first of equals before the others")
    func ranking() throws {
        #expect(try Candidates(largest: 4, of: [1, 3, 3, 1, 3, -2]).sources == [1, 2, 4, 0])
        #expect(try Candidates(largest: 300, of: [Double](repeating: 0.5, count: 577)).sources == Array(0..<300))
        #expect(throws: ReductionError.self) { try Candidates(largest: 1, of: [1, .infinity]) }
    }

    @Test("the quantile interpolates, takes ties, and shares in proportion")
    func quantile() throws {
        let row = [1.0, 4, 2, 3]
        // Rank 0.5 · 3 = 1.5: between 2 and 3.
        let edges = try QuantileShare(epsilon: 0.5).edges(of: row, to: [10, 11, 12, 13])
        #expect(edges.map(\.target) == [11, 13])
        #expect(edges.map(\.weight) == [4.0 / 7, 3.0 / 7])
        let tied = try QuantileShare(epsilon: 1).edges(of: [2, 1, 2], to: [0, 1, 2])
        #expect(tied.map(\.target) == [0, 2])
        let zeros = try QuantileShare(epsilon: 0.998).edges(of: [0, 0, 0, 0], to: [0, 1, 2, 3])
        #expect(zeros.map(\.weight) == [0.25, 0.25, 0.25, 0.25])
        #expect(try QuantileShare(epsilon: 0.998).edges(of: [], to: []).isEmpty)
        #expect(try QuantileShare(epsilon: 0).edges(of: row, to: [0, 1, 2, 3]).count == 4)
    }

    @Test("K = n − ⌈ε(n−1)⌉ targets, short rows or long, high quantile or low", arguments: [1, 65, 500, 501, 534, 577])
    func targets(count: Int) throws {
        var generator = Generator(seed: count)
        let row = generator.numbers(count)
        for epsilon in [0.998, 0.992, 0.5, 0.1] {
            let expected = count - Int((epsilon * Double(count - 1) - 1e-9).rounded(.up))
            let edges = try QuantileShare(epsilon: epsilon).edges(of: row, to: Array(0..<count))
            #expect(edges.count == expected)
            #expect(edges.allSatisfy { edge in row.count { $0 > row[edge.target] } < expected })
        }
    }

    @Test("a merge is the mean of a survivor and its shares", arguments: [ElementType.float64, .float32])
    func merge(type: ElementType) throws {
        let cells = [1.0, 2, 5, 7, 0, 4]
        let tokens =
            type == .float64 ? Tensor(cells, shape: [3, 2]) : Tensor(cells.map { Float($0) }, shape: [3, 2])
        let correlation = Correlation(
            sources: [2, 0], edges: [[.init(target: 1, weight: 1)], [.init(target: 1, weight: 1)]])
        let view = try LayerView(
            layout: TokenLayout(rows: 3, visual: [0..<3]), evidence: Evidence(), grid: PatchGrid(rows: 1, columns: 3),
            positions: [0, 1, 2])
        try SelfPreservingMerge().merge(correlation, in: view, into: tokens)
        #expect(zip(tokens.doubles, [1, 2, 2, 13.0 / 3, 0, 4]).allSatisfy { abs($0 - $1) < 1e-6 })
    }

    @Test("shares that cancel a token's own weight are an error")
    func cancelling() throws {
        let correlation = Correlation(
            sources: [0], edges: [[.init(target: 1, weight: -1), .init(target: 2, weight: 2)]])
        let view = try LayerView(
            layout: TokenLayout(rows: 3, visual: [0..<3]), evidence: Evidence(), grid: PatchGrid(rows: 1, columns: 3),
            positions: [0, 1, 2])
        #expect(throws: ReductionError.self) {
            try SelfPreservingMerge().merge(correlation, in: view, into: Tensor([1.0, 2, 3], shape: [3, 1]))
        }
    }

    @Test("sums of the attention map equal plain loops", arguments: [ElementType.float64, .float32])
    func sums(type: ElementType) throws {
        var generator = Generator(seed: 9)
        var map = try AttentionMap(averagingHeadsOf: generator.attention(heads: 3, rows: 23, scores: .probabilities))
        if type == .float32 { map = try map.inSinglePrecision() }
        let cells = (0..<23).map { map.row($0, columns: [0..<23]) }
        // In two runs, as two pictures stand, and text around them.
        let (image, text) = ([5..<11, 13..<18], [0..<5, 11..<13, 18..<23])
        let imageRows = image.flatMap { Array($0) }
        let textRows = text.flatMap { Array($0) }
        func close(_ left: [Double], _ right: [Double]) -> Bool {
            left.count == right.count && zip(left, right).allSatisfy { abs($0 - $1) < 1e-12 }
        }
        #expect(
            close(
                map.columnSums(rows: text, columns: image),
                imageRows.map { j in textRows.reduce(0) { $0 + cells[$1][j] } })
        )
        #expect(
            close(
                map.rowSums(rows: image, columns: text), imageRows.map { i in textRows.reduce(0) { $0 + cells[i][$1] } }
            ))
        #expect(
            close(
                map.rowSums(rows: image, columns: image),
                imageRows.map { i in imageRows.reduce(0) { $0 + cells[i][$1] } }))
        #expect(map.column(7, rows: text) == textRows.map { cells[$0][7] })
        #expect(map.row(7, columns: text) == textRows.map { cells[7][$0] })
        let weights = generator.numbers(12)
        #expect(
            close(
                map.combination(of: text, weights: weights, columns: image),
                imageRows.map { j in zip(textRows, weights).reduce(0) { $0 + $1.1 * cells[$1.0][j] } }))
    }

    @Test("heads are averaged; a map of another shape or type is refused")
    func heads() throws {
        let map = try AttentionMap(averagingHeadsOf: Tensor([1.0, 2, 3, 4, 3, 2, 1, 0], shape: [2, 2, 2]))
        #expect(map.row(0, columns: [0..<2]) == [2, 2])
        #expect(map.row(1, columns: [0..<2]) == [2, 2])
        #expect(throws: ReductionError.self) { try AttentionMap(Tensor([1.0], shape: [1, 1, 1])) }
        #expect(throws: ReductionError.self) { try AttentionMap(Tensor(shape: [2, 2], type: .float16)) }
        #expect(throws: ReductionError.self) { try AttentionMap(averagingHeadsOf: Tensor([1.0], shape: [1, 1])) }
    }

    @Test("text is everything that is neither image nor class token")
    func layout() {
        #expect(TokenLayout(rows: 20, visual: [5..<12]).text == [0..<5, 12..<20])
        #expect(TokenLayout(rows: 20, visual: [0..<20]).text.isEmpty)
        #expect(TokenLayout.encoder(visualTokens: 4).text.isEmpty)
        #expect(TokenLayout(rows: 6, visual: [0..<3], classToken: 4).text == [3..<4, 5..<6])
    }

    @Test("asked for logits, a stage does not take probabilities")
    func wrongKind() throws {
        let map = try AttentionMap(Tensor([Double](repeating: 0.2, count: 25), shape: [5, 5]))
        let error = try #require(throws: ReductionError.self) {
            try SingleReduction(
                method: MethodCatalogue.method(named: "ficoco-v", options: ["scores": "logits"]), keep: 2,
                hidden: Tensor([Float](repeating: 0, count: 5), shape: [5, 1]), evidence: Evidence(attention: map),
                layout: .encoder(visualTokens: 4), grid: PatchGrid(rows: 2, columns: 2))
        }
        #expect(error.code == .missingEvidence)
        #expect(error.message.contains("offers attention probabilities"))
    }

    @Test("of the next layer's attention there is what was asked for, and no more")
    func upcoming() throws {
        var generator = Generator(seed: 13)
        let (query, keys) = (generator.states(rows: 1, width: 6), generator.states(rows: 4, width: 6))
        func ahead(_ needs: EvidenceNeeds) throws -> UpcomingAttention {
            try UpcomingAttention(query: query, keys: keys, heads: Heads(count: 2, size: 3), needs: needs)
        }
        let alone = try ahead(.upcomingKeys)
        let mean = try #require(throws: ReductionError.self) { try alone.observerAttention() }
        #expect(mean.code == .missingEvidence)
        let whole = try #require(throws: ReductionError.self) { try alone.singleHeadAttention() }
        #expect(whole.code == .missingEvidence)
        #expect(try ahead(.upcomingAttention).observerAttention().count == 4)
        #expect(throws: ReductionError.self) { try ahead(.upcomingAttention).singleHeadAttention() }
        #expect(try ahead(.upcomingAttentionHeadsAsOne).singleHeadAttention().count == 4)
        #expect(throws: ReductionError.self) { try ahead(.upcomingAttentionHeadsAsOne).observerAttention() }
    }

    @Test("one step on tensors at hand leaves the input as it was")
    func single() throws {
        var generator = Generator(seed: 21)
        let hidden = generator.states(rows: 17, width: 3)
        let before = hidden.doubles
        let cells = generator.attention(heads: 2, rows: 17, scores: .probabilities)
        let grid = try PatchGrid(rows: 4, columns: 4)
        func reduce(_ name: String, keep: Int, _ layout: TokenLayout) throws -> SingleReduction {
            let map = try AttentionMap(averagingHeadsOf: cells, scores: name == "ficoco-l" ? .probabilities : .logits)
            return try SingleReduction(
                method: MethodCatalogue.method(named: name), keep: keep, hidden: hidden,
                evidence: Evidence(attention: map), layout: layout, grid: grid)
        }
        let vision = try reduce("ficoco-v", keep: 10, .encoder(visualTokens: 16))
        #expect(vision.hidden.shape == [11, 3])
        #expect(vision.step.kept.first == 0)
        #expect(hidden.doubles == before)
        let language = try reduce("ficoco-l", keep: 9, TokenLayout(rows: 17, visual: [2..<14]))
        #expect(language.hidden.rows == 14)
        #expect(try reduce("ficoco-vl", keep: 10, .encoder(visualTokens: 16)).step == vision.step)
        #expect(try reduce("none", keep: 16, .encoder(visualTokens: 16)).hidden.doubles == before)
        #expect(throws: ReductionError.self) { try reduce("none", keep: 10, .encoder(visualTokens: 16)) }
        #expect(throws: ReductionError.self) { try reduce("ficoco-v", keep: 0, .encoder(visualTokens: 16)) }
        let classless = try #require(throws: ReductionError.self) {
            try reduce("ficoco-v", keep: 3, TokenLayout(rows: 17, visual: [2..<14]))
        }
        #expect(classless.code == .missingEvidence)
    }
}
