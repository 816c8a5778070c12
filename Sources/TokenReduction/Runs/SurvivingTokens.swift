import Glibc
internal import JobVocabulary
import Tensors

/// The visual tokens that are left of a tile or of a sequence, and their history.
struct SurvivingTokens: Sendable {
    /// Their original positions, in the order of the sequence.
    private(set) var positions: [Int]
    /// How many original tokens each of them stands for: itself and its shares of those that went.
    private(set) var sizes: [Double]
    /// The history of all visual tokens, of those that went as well.
    private(set) var history: ReductionTrace
    /// Maps of the layers since the last reduction, as far back as a filter asks.
    private var earlierAttention: [AttentionMap] = []

    /// All of `count` tokens.
    init(count: Int) {
        positions = Array(0..<count)
        sizes = [Double](repeating: 1, count: count)
        history = ReductionTrace(tokens: count)
    }

    /// The surviving tokens of several tiles, numbered one tile after another.
    init(joining tiles: [SurvivingTokens]) {
        positions = []
        var first = 0
        for tile in tiles {
            positions += tile.positions.map { first + $0 }
            first += tile.history.leftAt.count
        }
        sizes = tiles.flatMap(\.sizes)
        history = tiles.count == 1 ? tiles[0].history : ReductionTrace(joining: tiles.map(\.history))
    }

    /// Goes on with the tokens of `entering` alone, in that order; all of them are left.
    mutating func leaveOut(allBut entering: [Int]) {
        let places = Dictionary(uniqueKeysWithValues: zip(positions, positions.indices))
        sizes = entering.map { position in
            guard let place = places[position] else {
                preconditionFailure("token \(position) is not left")
            }
            return sizes[place]
        }
        positions = entering
        history.leaveOut(allBut: entering)
    }

    /// Keeps a layer's map where the filter of `stages` looks back.
    mutating func remember(_ evidence: Evidence, stages: Stages?) {
        let span = stages?.filter.layersOfHistory ?? 0
        guard span > 0, let map = evidence.attention else { return }
        earlierAttention = Array((earlierAttention + [map]).suffix(span + 1))
    }

    /// The maps before a layer's own, of sequences of as many rows.
    func attentionBefore(rows: Int) -> [AttentionMap] { earlierAttention.dropLast().filter { $0.keys == rows } }

    /// What attention adds to the logits of each token's key, log size; nil if that is 0 for all.
    var keyBias: [Double]? { sizes.contains { $0 != 1 } ? sizes.map { log($0) } : nil }

    /// Throws unless a layer shows as many visual tokens as `plan` says and as are left here.
    func check(_ layout: TokenLayout, _ plan: ReductionPlan, place: ReductionPlace, layer: Int) throws(ReductionError) {
        let expected = plan.tokens(entering: layer, of: place)
        guard layout.visual.count == expected, positions.count == expected else {
            throw ReductionError(
                .unexpectedCount,
                "layer \(layer) of the \(place.rawValue) was to see \(expected) visual tokens, but \(layout.visual.count) "
                    + "came and \(positions.count) are left: a reducing layer was left out or its rows were not dropped"
            )
        }
    }

    /// Throws unless exactly the planned number of tokens is left after `place`.
    func checkDelivered(_ plan: ReductionPlan, after place: ReductionPlace) throws(ReductionError) {
        let expected = plan.tokens(entering: plan.removals(in: place).count, of: place)
        guard positions.count == expected else {
            throw ReductionError(
                .unexpectedCount,
                "\(expected) visual tokens were to leave the \(place.rawValue), \(positions.count) are left: "
                    + "a reducing layer was left out")
        }
    }

    /// Lets `stages` reduce one layer of `place` by as many tokens as `plan` says, or as the layer itself does, and returns the
    /// rows that stay, in the order in which they go on.
    mutating func reduce(
        by stages: Stages, _ plan: inout ReductionPlan, place: ReductionPlace, layer: Int, grids: TileGrids,
        hidden: Tensor,
        evidence: Evidence, layout: TokenLayout
    ) throws(ReductionError) -> [Int] {
        let clock = ContinuousClock(), start = clock.now
        let view = try LayerView(
            layout: layout, evidence: evidence, grids: grids, positions: positions, sizes: sizes)
        if plan.settles(in: place, layer: layer), let filter = stages.filter as? any CountingFilter {
            plan = try plan.settled(at: filter.count(in: view))
        }
        let removal = plan.removal(in: place, layer: layer)
        guard removal > 0 else { return Array(0..<layout.rows) }
        let step = try stages.reduce(view, hidden: hidden, removing: removal)
        earlierAttention = []
        history.record(
            step, place: place, layer: layer, positions: positions, layout: layout,
            seconds: (clock.now - start) / .seconds(1))
        let tokens = Dictionary(uniqueKeysWithValues: zip(layout.visual, 0...))
        let kept = step.kept.compactMap { tokens[$0] }, entered = sizes
        for merge in step.merges {
            guard let source = tokens[merge.source], let target = tokens[merge.target] else { continue }
            sizes[target] += merge.weight * entered[source]
        }
        positions = kept.map { positions[$0] }
        sizes = kept.map { sizes[$0] }
        return step.kept
    }
}
