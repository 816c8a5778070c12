extension MethodRecipe {
    /// PruMerge: keeps what the class token looks at most, each with its neighbours added, and one token made of the rest.
    ///
    /// Shang et al., ICCV 2025, after the last layer that runs, by the attention and the keys of the layer behind it, whose
    /// output LLaVA-1.5 does not read: all heads as one, softmax(q·k/√1024). Survivors stand by falling attention, the new
    /// token last, as in the authors' code, and weights are not divided by their sum, which the paper has and the code
    /// switches off (`normalize`).
    ///
    /// The paper keeps as many tokens as are outliers of the attention, about 32, another number for each picture:
    /// `count=adaptive`, where the budget is the most that may stay. By default the budget is met exactly, the new token
    /// counted.
    public static let pruMerge = MethodRecipe(
        name: "prumerge", citation: "Shang et al., LLaVA-PruMerge, ICCV 2025, arXiv:2403.15388"
    ) { options throws(ReductionError) in
        try ReductionMethod(
            encoder: Stages(
                neighboursOf: UpcomingObserverAttention(headsAsOne: true),
                count: options.choice("count", default: .fixed), options: &options))
    }

    /// PruMerge+: PruMerge with an even sample of the picture beside what attention keeps.
    ///
    /// `count=adaptive` is the authors' rule, about 144 tokens; for a fixed budget, which they do not offer for inference,
    /// `attention` is the share that attention chooses, see ``AttentionThenGrid``. Everything else as in PruMerge.
    public static let pruMergePlus = MethodRecipe(
        name: "prumerge+", citation: "Shang et al., LLaVA-PruMerge, ICCV 2025, arXiv:2403.15388"
    ) { options throws(ReductionError) in
        let share = try AttentionThenGrid.share(reading: &options)
        let count = try options.choice("count", default: CountRule.fixed)
        return try ReductionMethod(
            encoder: Stages(
                neighboursOf: AttentionThenGrid(attention: share, spare: 1, isAdaptive: count == .adaptive),
                count: count, options: &options))
    }
}

/// What decides how many tokens stay.
private enum CountRule: String, CaseIterable {
    /// The budget decides how many tokens stay.
    case fixed
    /// The picture decides; the budget is the upper limit.
    case adaptive
}

extension Stages {
    fileprivate init(
        neighboursOf filter: any CountingFilter, count: CountRule, options: inout MethodOptions
    ) throws(ReductionError) {
        try self.init(
            filter: filter,
            correlate: KeyNeighbours(reading: &options),
            compress: NeighbourSum(reading: &options), schedule: .afterLast,
            order: filter is AttentionThenGrid ? .chosen : .score, isAdaptive: count == .adaptive)
    }
}
