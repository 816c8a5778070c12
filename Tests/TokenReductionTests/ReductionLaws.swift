import JobVocabulary
import Tensors
import Testing
import TokenReduction

/// A method at one place, with one size of input: what every law is tried on.
struct Trial: Sendable, CustomTestStringConvertible {
    var method: String
    var options: [String: String]
    var place: ReductionPlace
    var tokens: Int
    var removal: Int
    var seed: Int
    var precision: ElementType
    /// Whether the tokens are those of two pictures with text between them, the first of which has a row that ends its line.
    var isApart = false

    var testDescription: String {
        "\(method) \(options) \(place.rawValue): \(removal) of \(tokens)\(isApart ? " of two pictures" : ""), "
            + "\(precision.rawValue), seed \(seed)"
    }

    /// What the laws are tried on: the catalogue, and the example of CONTRIBUTING.md.
    static let recipes = MethodCatalogue.all + [.centredAttention]

    /// Every method in each place it works in, from one token to hundreds; CDPruner by the question, too.
    static func all() throws -> [Trial] {
        var trials: [Trial] = []
        let catalogue = recipes.map { ($0, [String: String]()) }
        for (recipe, options) in catalogue + [(MethodRecipe.cdPruner, ["relevance": "question"])] {
            let method = try recipe.method(options: options)
            for place in method.places {
                let filter = try #require(method.stages(in: place)?.filter)
                for (tokens, most) in [(1, 0), (2, 1), (7, 6), (9, 0), (36, 5), (64, 40), (576, 43)] {
                    let removal = min(most, filter.mostRemovable(of: tokens))
                    for seed in tokens > 100 ? [1] : [1, 2, 3] {
                        let trial = Trial(
                            method: recipe.name, options: options, place: place, tokens: tokens, removal: removal,
                            seed: seed, precision: seed == 2 ? .float32 : .float64)
                        trials.append(trial)
                        guard place == .languageModel, tokens > 1 else { continue }
                        trials.append(trial.apart())
                    }
                }
            }
        }
        return trials
    }

    func stages() throws -> Stages {
        let recipe = try #require(Self.recipes.first { $0.name == method })
        return try #require(recipe.method(options: options).stages(in: place))
    }

    /// Text around the image in the decoder, the class token before it in the encoder, nothing else after the projector.
    var layout: TokenLayout {
        switch place {
        case .visionEncoder: .encoder(visualTokens: tokens)
        case .projector: TokenLayout(rows: tokens, visual: [0..<tokens])
        case .languageModel where isApart:
            TokenLayout(
                rows: tokens + 12, visual: [4..<4 + tokens / 2, 7 + tokens / 2..<7 + tokens],
                separators: [4 + tokens / 2..<5 + tokens / 2])
        case .languageModel: TokenLayout(rows: tokens + 9, visual: [4..<4 + tokens])
        }
    }

    /// The tiles that the tokens come from.
    func grids() throws -> TileGrids {
        let counts = isApart ? [tokens / 2, tokens - tokens / 2] : [tokens]
        return try TileGrids(counts.map { try PatchGrid(rows: 1, columns: $0) })
    }

    /// Which of the visual tokens stands in a row.
    func token(_ row: Int) -> Int { layout.visual.prefix { $0 < row }.count }

    private func apart() -> Trial {
        var trial = self
        trial.isApart = true
        return trial
    }

    func hidden() -> Tensor {
        var generator = Generator(seed: seed)
        let states = generator.states(rows: layout.rows, width: 6)
        return precision == .float32 ? states.inSinglePrecision : states
    }

    /// A layer with random attention.
    func view() throws -> LayerView {
        var generator = Generator(seed: 100 + seed)
        let scores = try kindOfScores()
        let cells = generator.attention(
            heads: 2, rows: layout.rows, scores: scores, causal: place == .languageModel)
        return try view(AttentionMap(averagingHeadsOf: cells, scores: scores))
    }

    /// The kind of map that the method reads.
    func kindOfScores() throws -> AttentionScores {
        try stages().needs.contains(.attentionLogits) ? .logits : .probabilities
    }

    /// A layer with this attention, which offers what the stages name and nothing else; with random keys, or with keys that
    /// are all `key`.
    func view(_ map: AttentionMap, key: Double? = nil) throws -> LayerView {
        try LayerView(
            layout: layout,
            evidence: .made(
                map, layout, seed: 200 + seed, needs: stages().needs, key: key, precision: precision),
            grids: grids(), positions: Array(0..<tokens),
            sizes: (0..<tokens).map { 1 + Double($0 % 3) })
    }
}

@Suite("Laws that every method of the catalogue obeys")
struct ReductionLaws {
    @Test("removes exactly n, keeps the order it promises, and names everything once", arguments: try Trial.all())
    func counts(trial: Trial) throws {
        let step = try trial.stages().reduce(trial.view(), hidden: trial.hidden(), removing: trial.removal)
        #expect(step.pruned.count == trial.removal)
        let (image, first) = (trial.layout.visual, trial.layout.visual[0])
        #expect(step.kept.filter { !image.contains($0) } == (0..<trial.layout.rows).filter { !image.contains($0) })
        #expect(step.kept.prefix(first).elementsEqual(0..<first))
        let visual = step.kept.filter(image.contains)
        let targets = Set(step.merges.map(\.target))
        switch try trial.stages().order {
        case .sequence: #expect(visual == visual.sorted())
        case .fusedLast:
            let falls = zip(visual, visual.dropFirst()).map { $0 > $1 }
            if try trial.stages().correlate is ClusterCentres {
                // Clusters stand in an order of their own, at most one for each three tokens that go.
                #expect(visual.count - 1 - (falls.firstIndex(of: true) ?? visual.count) <= max(1, trial.removal / 3))
            } else {
                #expect(falls.count { $0 } <= 1)
            }
        case .chosen: #expect(Set(visual).count == visual.count)
        case .score:
            let ranked = visual.filter { !targets.contains($0) }.map { step.scores[trial.token($0)] }
            #expect(trial.removal == 0 || ranked == ranked.sorted())
            #expect(visual.last.map { targets.contains($0) } ?? false || trial.removal == 0)
        case .alternating:
            if trial.removal > 0 {
                let odd = visual.firstIndex { !$0.isMultiple(of: 2) } ?? visual.count
                #expect(visual[..<odd].allSatisfy { $0.isMultiple(of: 2) })
                #expect(visual[odd...].allSatisfy { !$0.isMultiple(of: 2) })
                #expect(Array(visual[odd...]) == image.filter { !$0.isMultiple(of: 2) })
            }
        }
        #expect((step.kept + step.pruned).sorted() == Array(0..<trial.layout.rows))
        #expect(step.scores.count == trial.tokens)
        #expect(step.scores.allSatisfy { $0.isFinite })
    }

    @Test("never removes, writes to or takes from a row outside the image", arguments: try Trial.all())
    func protectedRows(trial: Trial) throws {
        let hidden = trial.hidden()
        let before = hidden.table
        let step = try trial.stages().reduce(trial.view(), hidden: hidden, removing: trial.removal)
        let image = trial.layout.visual
        #expect(step.pruned.allSatisfy(image.contains))
        #expect(step.merges.allSatisfy { image.contains($0.source) && image.contains($0.target) })
        // Neighbours that stay are copied, which is no merge.
        let copies = try trial.stages().correlate is KeyNeighbours
        let touched = copies ? Set(image) : Set(step.merges.map(\.target))
        for row in 0..<trial.layout.rows where !touched.contains(row) { #expect(hidden.table[row] == before[row]) }
    }

    @Test("removing nothing changes nothing", arguments: try Trial.all())
    func nothing(trial: Trial) throws {
        let hidden = trial.hidden()
        let step = try trial.stages().reduce(trial.view(), hidden: hidden, removing: 0)
        #expect(step.kept == Array(0..<trial.layout.rows))
        #expect(step.merges.isEmpty)
        #expect(hidden.doubles == trial.hidden().doubles)
    }

    @Test(
        "a source's weights sum to one, or it has none; targets stay, and no edge is named twice",
        arguments: try Trial.all())
    func weights(trial: Trial) throws {
        let step = try trial.stages().reduce(trial.view(), hidden: trial.hidden(), removing: trial.removal)
        let kept = Set(step.kept)
        for source in step.pruned {
            let edges = step.merges.filter { $0.source == source }
            #expect(edges.isEmpty || abs(edges.reduce(0) { $0 + $1.weight } - 1) < 1e-12)
            #expect(edges.allSatisfy { kept.contains($0.target) && (0...1).contains($0.weight) })
            #expect(Set(edges.map(\.target)).count == edges.count)
        }
        #expect(step.merges.allSatisfy { step.pruned.contains($0.source) })
    }

    @Test("a self-preserving merge conserves the size-weighted sum of all tokens", arguments: try Trial.all())
    func conservation(trial: Trial) throws {
        let stages = try trial.stages()
        guard stages.compress is SelfPreservingMerge else { return }
        let (hidden, before) = (trial.hidden(), trial.hidden().table)
        let step = try stages.reduce(trial.view(), hidden: hidden, removing: trial.removal)
        var size = [Int: Double](uniqueKeysWithValues: trial.layout.visual.map { ($0, 1) })
        for merge in step.merges { size[merge.target, default: 0] += merge.weight }
        let kept = step.kept.filter(trial.layout.visual.contains)
        #expect(abs(kept.reduce(0) { $0 + (size[$1] ?? 0) } - Double(trial.tokens)) < 1e-9)
        let after = hidden.table
        for column in 0..<hidden.width {
            let sum = trial.layout.visual.reduce(0) { $0 + before[$1][column] }
            let weighted = kept.reduce(0) { $0 + (size[$1] ?? 0) * after[$1][column] }
            #expect(abs(sum - weighted) < (trial.precision == .float32 ? 1e-4 : 1e-10))
        }
    }

    @Test("a mean by sizes conserves the sum of all original tokens", arguments: try Trial.all())
    func sizes(trial: Trial) throws {
        let stages = try trial.stages()
        guard stages.compress is SizeWeightedMean else { return }
        let (hidden, before) = (trial.hidden(), trial.hidden().table)
        let view = try trial.view()
        let step = try stages.reduce(view, hidden: hidden, removing: trial.removal)
        var size = view.sizes
        for merge in step.merges {
            size[trial.token(merge.target)] += merge.weight * view.sizes[trial.token(merge.source)]
        }
        let kept = step.kept.filter(trial.layout.visual.contains)
        #expect(abs(kept.reduce(0) { $0 + size[trial.token($1)] } - view.sizes.reduce(0, +)) < 1e-9)
        let after = hidden.table
        for column in 0..<hidden.width {
            let sum = trial.layout.visual.reduce(0) { $0 + view.sizes[trial.token($1)] * before[$1][column] }
            let weighted = kept.reduce(0) { $0 + size[trial.token($1)] * after[$1][column] }
            #expect(abs(sum - weighted) < (trial.precision == .float32 ? 1e-3 : 1e-9))
        }
    }

    @Test("a method that prunes changes no token", arguments: try Trial.all())
    func pruning(trial: Trial) throws {
        let stages = try trial.stages()
        guard stages.compress is NoMerge else { return }
        let hidden = trial.hidden()
        let step = try stages.reduce(trial.view(), hidden: hidden, removing: trial.removal)
        #expect(step.merges.isEmpty)
        #expect(hidden.doubles == trial.hidden().doubles)
    }

    @Test("the same input gives the same output, to the last bit", arguments: try Trial.all())
    func determinism(trial: Trial) throws {
        let (first, second) = (trial.hidden(), trial.hidden())
        let one = try trial.stages().reduce(trial.view(), hidden: first, removing: trial.removal)
        let two = try trial.stages().reduce(trial.view(), hidden: second, removing: trial.removal)
        #expect(one == two)
        #expect(first.doubles == second.doubles)
    }

    @Test("where all scores are equal the count is still exact and nothing becomes NaN", arguments: try Trial.all())
    func equalScores(trial: Trial) throws {
        let rows = trial.layout.rows
        for value in [0, 1 / Double(rows)] {
            let map = try AttentionMap(
                Tensor([Double](repeating: value, count: rows * rows), shape: [rows, rows]),
                scores: trial.kindOfScores())
            let hidden = trial.hidden()
            let step = try trial.stages().reduce(trial.view(map, key: value), hidden: hidden, removing: trial.removal)
            #expect(step.pruned.count == trial.removal)
            #expect(hidden.doubles.allSatisfy { $0.isFinite })
            #expect(step.merges.allSatisfy { $0.weight.isFinite })
        }
        // Tokens that are all the same, and all nothing.
        for value in [0.0, 1] {
            let hidden = Tensor([Double](repeating: value, count: rows * 6), shape: [rows, 6])
            let step = try trial.stages().reduce(trial.view(), hidden: hidden, removing: trial.removal)
            #expect(step.pruned.count == trial.removal)
            #expect(hidden.doubles.allSatisfy { $0.isFinite })
        }
    }

    @Test("the last visual token cannot be removed", arguments: try Trial.all())
    func lastToken(trial: Trial) throws {
        for removal in [trial.tokens, trial.tokens + 1, -1] {
            let error = try #require(throws: ReductionError.self) {
                try trial.stages().reduce(trial.view(), hidden: trial.hidden(), removing: removal)
            }
            #expect(error.code == .badBudget)
        }
    }

    @Test("evidence that is missing or not a number is an error, not a result", arguments: try Trial.all())
    func badEvidence(trial: Trial) throws {
        let (rows, stages) = (trial.layout.rows, try trial.stages())
        guard !stages.needs.isEmpty, trial.tokens > 1 else { return }
        let blind = try LayerView(
            layout: trial.layout, evidence: Evidence(), grids: trial.grids(),
            positions: Array(0..<trial.tokens))
        let missing = try #require(throws: ReductionError.self) {
            try stages.reduce(blind, hidden: trial.hidden(), removing: 1)
        }
        #expect(missing.code == .missingEvidence)
        let map = try AttentionMap(
            Tensor([Double](repeating: .nan, count: rows * rows), shape: [rows, rows]),
            scores: trial.kindOfScores())
        let invalid = try #require(throws: ReductionError.self) {
            try stages.reduce(trial.view(map, key: .nan), hidden: trial.hidden(), removing: 1)
        }
        #expect(invalid.code == .notFinite)
    }
}
