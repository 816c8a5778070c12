/// A stage under the name by which it can be asked for.
public struct StageRecipe<Stage: Sendable>: Sendable {
    /// The name on the command line.
    public let name: String
    let build: @Sendable (inout MethodOptions) throws(ReductionError) -> Stage
}

/// The stages that can be put together by name; each has the options, with the defaults, that it has in its own method.
public enum StageCatalogue {
    /// Which tokens go.
    public static let filters: [StageRecipe<any Filter>] = [
        StageRecipe(name: "observer-attention") { _ in ObserverAttention() },
        StageRecipe(name: "vision-redundancy", build: VisionRedundancy.init(reading:)),
        StageRecipe(name: "task-redundancy", build: TaskRedundancy.init(reading:)),
        StageRecipe(name: "upcoming-attention") { options throws(ReductionError) in
            try UpcomingObserverAttention(headsAsOne: options.flag("heads-as-one", default: false))
        },
        StageRecipe(name: "attention-rollout", build: AttentionRollout.init(reading:)),
        StageRecipe(name: "rater-attention") { _ in RaterAttention() },
        StageRecipe(name: "attention-then-grid") { options throws(ReductionError) in
            try AttentionThenGrid(
                attention: AttentionThenGrid.share(reading: &options),
                spare: options.integer("spare", default: 0, in: 0...1), isAdaptive: false)
        },
        StageRecipe(name: "crop-quota", build: CropQuota.init(reading:)),
        StageRecipe(name: "pivot-dissimilarity", build: PivotDissimilarity.init(reading:)),
        StageRecipe(name: "bipartite-match") { _ in BipartiteMatch() },
        StageRecipe(name: "max-min-diversity") { _ in MaxMinDiversity() },
        StageRecipe(name: "determinantal-diversity", build: DeterminantalDiversity.init(reading:)),
        StageRecipe(name: "attention-then-variety", build: AttentionThenVariety.init(reading:)),
        StageRecipe(name: "even-cells") { _ in EvenCells() },
        StageRecipe(name: "random", build: RandomChoice.init(reading:)),
    ]

    /// Where their content belongs.
    public static let correlations: [StageRecipe<any Correlate>] = [
        StageRecipe(name: "none") { _ in NoTarget() },
        StageRecipe(name: "direct-attention") { options throws(ReductionError) in
            try DirectAttention(scores: options.attentionScores(), above: QuantileShare(reading: &options))
        },
        StageRecipe(name: "text-mediated-attention") { options throws(ReductionError) in
            let (axis, version) = try options.textReading()
            return try TextMediatedAttention(reading: &options, axis: axis, version: version)
        },
        StageRecipe(name: "partner") { _ in ToPartner() },
        StageRecipe(name: "one-token") { _ in IntoOne() },
        StageRecipe(name: "contextual-targets") { options throws(ReductionError) in
            try ContextualTargets(reading: &options, as: "share")
        },
        StageRecipe(name: "key-neighbours", build: KeyNeighbours.init(reading:)),
        StageRecipe(name: "cluster-centres") { _ in ClusterCentres() },
    ]

    /// How it gets there.
    public static let compressors: [StageRecipe<any Compress>] = [
        StageRecipe(name: "none") { _ in NoMerge() },
        StageRecipe(name: "self-preserving") { _ in SelfPreservingMerge() },
        StageRecipe(name: "size-weighted") { _ in SizeWeightedMean() },
        StageRecipe(name: "attention-weighted", build: AttentionWeightedSum.init(reading:)),
        StageRecipe(name: "target-plus-mean") { _ in TargetPlusMean() },
        StageRecipe(name: "plain-mean") { _ in PlainMean() },
        StageRecipe(name: "neighbour-sum", build: NeighbourSum.init(reading:)),
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
