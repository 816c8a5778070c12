public import JobVocabulary

/// What became of every visual token of a tile, or of all tiles of a job.
///
/// Tokens are named by their original position throughout, so that a trace can be laid over the pictures. A new token,
/// made of several that went, bears the position of one of them (see ``Correlation/fused``). The fields are those of a
/// result file.
public struct ReductionTrace: Sendable, Hashable {
    /// One reduction in one layer.
    public struct Step: Sendable, Hashable {
        /// The part of the model that reduced.
        public let place: ReductionPlace
        /// The layer, counted from 0.
        public let layer: Int
        /// Visual tokens before.
        public let tokensIn: Int
        /// Visual tokens after.
        public let tokensOut: Int
        /// Time in filter, correlate and compress; the evidence is the layer's.
        public let seconds: Double
    }

    /// `weight` of the content of `source` went to `target` in step `step`.
    public struct Merge: Sendable, Hashable {
        /// Index into `steps`.
        public let step: UInt8
        /// The token that left.
        public let source: UInt16
        /// The token that took the share in.
        public let target: UInt16
        /// The share of the source's content.
        public let weight: Float
    }

    /// The reductions that happened, in order.
    public internal(set) var steps: [Step] = []
    /// The step at which each original token left; `survived` for those that did not, `leftOut` for those that no step took.
    public internal(set) var leftAt: [UInt8]
    /// Where most of each token's content went when it left (of equal shares the first); `discarded` if nowhere, itself
    /// if it stayed.
    public internal(set) var wentTo: [UInt16]
    /// The last redundancy score each token was given; 0 if there was none.
    public internal(set) var scores: [Float]
    /// The tokens that are left, in the order of the sequence.
    public internal(set) var kept: [UInt16]
    /// Every edge of every step.
    public internal(set) var merges: [Merge] = []

    /// In `leftAt`: still there.
    public static let survived = UInt8.max
    /// In `leftAt`: shows padding alone and never entered the language model, though no method removed it. Such a token is
    /// discarded, belongs to no step and is not among those that a step counts.
    public static let leftOut = UInt8.max - 1
    /// In `wentTo`: dropped without a target.
    public static let discarded = UInt16.max

    init(tokens: Int) {
        leftAt = [UInt8](repeating: Self.survived, count: tokens)
        wentTo = (0..<tokens).map { UInt16($0) }
        scores = [Float](repeating: 0, count: tokens)
        kept = (0..<tokens).map { UInt16($0) }
    }

    /// The traces of tiles side by side, each tile's tokens numbered behind those of the tile before it; what happened in one
    /// layer is one step.
    init(joining tiles: [ReductionTrace]) {
        self.init(tokens: 0)
        let layers = Set(tiles.flatMap(\.steps).map { LayerOfPlace(place: $0.place, layer: $0.layer) }).sorted()
        var lefts = tiles.map { $0.leftAt.count }
        for (index, tile) in tiles.enumerated() {
            for step in tile.steps.reversed() { lefts[index] = step.tokensIn }
        }
        for layer in layers {
            var (tokensIn, tokensOut, seconds) = (0, 0, 0.0)
            for (index, tile) in tiles.enumerated() {
                let step = tile.steps.first { $0.place == layer.place && $0.layer == layer.layer }
                tokensIn += step?.tokensIn ?? lefts[index]
                lefts[index] = step?.tokensOut ?? lefts[index]
                tokensOut += lefts[index]
                seconds += step?.seconds ?? 0
            }
            steps.append(
                Step(
                    place: layer.place, layer: layer.layer, tokensIn: tokensIn, tokensOut: tokensOut, seconds: seconds))
        }
        for tile in tiles {
            let first = leftAt.count
            let number = tile.steps.map { step in
                UInt8(layers.firstIndex { $0.place == step.place && $0.layer == step.layer } ?? 0)
            }
            func name(_ token: UInt16) -> UInt16 { token == Self.discarded ? token : UInt16(first + Int(token)) }
            leftAt += tile.leftAt.map { $0 == Self.survived ? $0 : number[Int($0)] }
            wentTo += tile.wentTo.map(name)
            scores += tile.scores
            kept += tile.kept.map(name)
            merges += tile.merges.map {
                Merge(
                    step: number[Int($0.step)], source: name($0.source), target: name($0.target), weight: $0.weight)
            }
        }
    }

    /// Leaves out all tokens but `entering`, which go on in that order.
    mutating func leaveOut(allBut entering: [Int]) {
        let rest = Set(kept).subtracting(entering.map { UInt16($0) })
        for token in rest {
            leftAt[Int(token)] = Self.leftOut
            wentTo[Int(token)] = Self.discarded
        }
        kept = entering.map { UInt16($0) }
    }

    /// Where a step happened, in the order of the forward pass.
    private struct LayerOfPlace: Hashable, Comparable {
        let place: ReductionPlace
        let layer: Int

        static func < (one: LayerOfPlace, other: LayerOfPlace) -> Bool { one.rank < other.rank }

        private var rank: (Int, Int) { (ReductionPlace.allCases.firstIndex(of: place) ?? 0, layer) }
    }

    /// Enters one step; `positions` are the original positions of the visual tokens of `layout` that entered it.
    mutating func record(
        _ reduction: ReductionStep, place: ReductionPlace, layer: Int, positions: [Int], layout: TokenLayout,
        seconds: Double
    ) {
        let step = UInt8(steps.count)
        let names = Dictionary(uniqueKeysWithValues: zip(layout.visual, positions))
        func original(_ row: Int) -> Int {
            guard let name = names[row] else { preconditionFailure("row \(row) is no visual token") }
            return name
        }
        for (position, score) in zip(positions, reduction.scores) { scores[position] = Float(score) }
        for row in reduction.pruned {
            leftAt[original(row)] = step
            wentTo[original(row)] = Self.discarded
        }
        var largest: [Int: Double] = [:]
        for merge in reduction.merges {
            let (source, target) = (original(merge.source), UInt16(original(merge.target)))
            merges.append(Merge(step: step, source: UInt16(source), target: target, weight: Float(merge.weight)))
            guard merge.weight > largest[source] ?? -.infinity else { continue }
            largest[source] = merge.weight
            wentTo[source] = target
        }
        kept = reduction.kept.compactMap { names[$0].map { UInt16($0) } }
        steps.append(
            Step(
                place: place, layer: layer, tokensIn: positions.count, tokensOut: kept.count, seconds: seconds))
    }
}
