/// A stage under the name by which it can be asked for.
public struct StageRecipe<Stage: Sendable>: Sendable {
    /// The name on the command line.
    public let name: String
    let build: @Sendable (inout MethodOptions) throws(ReductionError) -> Stage
}

/// The stages that can be put together by name.
public enum StageCatalogue {
    /// Which tokens go.
    public static let filters: [StageRecipe<any Filter>] = [
        StageRecipe(name: "observer-attention") { _ in ObserverAttention() },
        StageRecipe(name: "vision-redundancy") { options throws(ReductionError) in
            let scale = try options.choice("normalize", default: TermScale.none)
            return try VisionRedundancy(
                lambda: options.number("lambda", default: scale.visionWeight, in: 0...1),
                axis: options.choice("axis", default: .column),
                scores: options.choice("scores", default: .probabilities), scale: scale,
                localPenalty: LocalPenalty(
                    window: options.integer("window", default: 2, in: 1...256),
                    factor: options.number("penalty", default: 2, in: 1...1000)))
        },
        StageRecipe(name: "task-redundancy") { options throws(ReductionError) in
            try TaskRedundancy(
                beta: options.number("beta", default: 0.6, in: 0...1),
                axis: options.choice("axis", default: .received), version: options.choice("version", default: .v4),
                scale: options.choice("normalize", default: .none))
        },
        StageRecipe(name: "upcoming-attention") { options throws(ReductionError) in
            try UpcomingObserverAttention(headsAsOne: options.flag("heads-as-one", default: false))
        },
        StageRecipe(name: "attention-rollout") { options throws(ReductionError) in
            try AttentionRollout(layers: options.integer("layers", default: 3, in: 1...64))
        },
        StageRecipe(name: "rater-attention") { _ in RaterAttention() },
        StageRecipe(name: "attention-then-grid") { options throws(ReductionError) in
            try AttentionThenGrid(
                attention: options.number("attention", default: 0.25, in: 0...1),
                spare: options.integer("spare", default: 0, in: 0...1))
        },
        StageRecipe(name: "crop-quota") { options throws(ReductionError) in
            try CropQuota(
                crops: options.integer("crops", default: 16, in: 1...65_535),
                variance: options.number("variance", default: 0.09, in: 0...1000))
        },
        StageRecipe(name: "pivot-dissimilarity") { options throws(ReductionError) in
            try PivotDissimilarity(
                imagePivots: options.integer("image-pivots", default: 4, in: 1...1024),
                textPivots: options.integer("text-pivots", default: 4, in: 0...1024))
        },
        StageRecipe(name: "bipartite-match") { _ in BipartiteMatch() },
        StageRecipe(name: "max-min-diversity") { _ in MaxMinDiversity() },
        StageRecipe(name: "determinantal-diversity") { options throws(ReductionError) in
            try DeterminantalDiversity(relevance: options.choice("relevance", default: .none))
        },
        StageRecipe(name: "attention-then-variety") { options throws(ReductionError) in
            try AttentionThenVariety(important: options.number("important", default: 0.5, in: 0...1))
        },
        StageRecipe(name: "even-cells") { _ in EvenCells() },
        StageRecipe(name: "random") { options throws(ReductionError) in
            try RandomChoice(seed: options.integer("seed", default: 0, in: 0...Int(UInt32.max)))
        },
    ]

    /// Where their content belongs.
    public static let correlations: [StageRecipe<any Correlate>] = [
        StageRecipe(name: "none") { _ in NoTarget() },
        StageRecipe(name: "direct-attention") { options throws(ReductionError) in
            try DirectAttention(
                scores: options.choice("scores", default: .probabilities),
                above: QuantileShare(epsilon: options.number("epsilon", default: 0.998, in: 0...1)))
        },
        StageRecipe(name: "text-mediated-attention") { options throws(ReductionError) in
            try TextMediatedAttention(
                gamma: options.number("gamma", default: 0.6, in: 0...1),
                axis: options.choice("axis", default: .received), version: options.choice("version", default: .v4),
                above: QuantileShare(epsilon: options.number("epsilon", default: 0.998, in: 0...1)))
        },
        StageRecipe(name: "partner") { _ in ToPartner() },
        StageRecipe(name: "one-token") { _ in IntoOne() },
        StageRecipe(name: "contextual-targets") { options throws(ReductionError) in
            try ContextualTargets(share: options.number("share", default: 0.15625, in: 0...1))
        },
        StageRecipe(name: "key-neighbours") { options throws(ReductionError) in
            try KeyNeighbours(neighbours: options.integer("neighbours", default: 32, in: 1...65_535))
        },
        StageRecipe(name: "cluster-centres") { _ in ClusterCentres() },
    ]

    /// How it gets there.
    public static let compressors: [StageRecipe<any Compress>] = [
        StageRecipe(name: "none") { _ in NoMerge() },
        StageRecipe(name: "self-preserving") { _ in SelfPreservingMerge() },
        StageRecipe(name: "size-weighted") { _ in SizeWeightedMean() },
        StageRecipe(name: "attention-weighted") { options throws(ReductionError) in
            try AttentionWeightedSum(normalize: options.flag("normalize", default: false))
        },
        StageRecipe(name: "target-plus-mean") { _ in TargetPlusMean() },
        StageRecipe(name: "plain-mean") { _ in PlainMean() },
        StageRecipe(name: "neighbour-sum") { options throws(ReductionError) in
            try NeighbourSum(normalize: options.flag("normalize", default: false))
        },
    ]
}

extension MethodOptions {
    /// One of `recipes` by its name, with its own options under `part-`.
    mutating func stage<Stage>(
        _ part: String, _ recipes: [StageRecipe<Stage>], default standard: String
    ) throws(ReductionError) -> Stage {
        let name = try name(part, default: standard, of: recipes.map(\.name))
        guard let recipe = recipes.first(where: { $0.name == name }) else {
            throw ReductionError(.badOption, "there is no \(part) \(name): choose from \(recipes.map(\.name))")
        }
        return try self.part(part, recipe.build)
    }
}
