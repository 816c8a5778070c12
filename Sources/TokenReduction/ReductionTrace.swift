/// What became of every visual token of one image.
///
/// Tokens are named by their original position throughout, so that a trace can be laid over the picture. A new token,
/// made of several that went, bears the position of one of them (see ``Correlation/fused``). The fields are those of a
/// result file.
public struct ReductionTrace: Sendable, Hashable {
    /// One reduction in one layer.
    public struct Step: Sendable, Hashable {
        /// Where.
        public let place: Place
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
    /// The step at which each original token left; `survived` for those that did not.
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
    /// In `wentTo`: dropped without a target.
    public static let discarded = UInt16.max

    init(tokens: Int) {
        leftAt = [UInt8](repeating: Self.survived, count: tokens)
        wentTo = (0..<tokens).map { UInt16($0) }
        scores = [Float](repeating: 0, count: tokens)
        kept = (0..<tokens).map { UInt16($0) }
    }

    /// Enters one step; `positions` are the original positions of the visual tokens that entered it, the first of them
    /// at row `firstRow`.
    mutating func record(
        _ reduction: ReductionStep, place: Place, layer: Int, positions: [Int], firstRow: Int, seconds: Double
    ) {
        let step = UInt8(steps.count)
        let original = { (row: Int) in positions[row - firstRow] }
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
        let image = firstRow..<firstRow + positions.count
        kept = reduction.kept.filter(image.contains).map { UInt16(original($0)) }
        steps.append(
            Step(
                place: place, layer: layer, tokensIn: positions.count, tokensOut: kept.count, seconds: seconds))
    }
}
