internal import JobVocabulary

extension MethodRecipe {
    /// A method put together from stages by name: any filter, correlation and compressor that fit.
    ///
    /// `filter`, `correlate` and `compress` name the stages (see ``StageCatalogue``), `place`, `schedule` and `order` say
    /// where, when and in which order the rest goes on. The options of a stage are those it has in its own method, under
    /// `filter-`, `correlate-` and `compress-`. What does not fit together is refused, with the reason. Left alone it is
    /// FasterVLM.
    public static let composed = MethodRecipe(
        name: "composed", citation: "filter, correlate, compress: Han et al., AAAI 2026, section 3.1"
    ) { options throws(ReductionError) in
        let place = try options.choice("place", default: ReductionPlace.visionEncoder)
        let filter = try options.stage("filter", StageCatalogue.filters, default: "observer-attention")
        let correlate = try options.stage("correlate", StageCatalogue.correlations, default: "none")
        let compress = try options.stage("compress", StageCatalogue.compressors, default: "none")
        let schedule = try options.schedule(default: .afterLast)
        let order = try options.choice("order", default: TokenOrder.sequence)
        let attention = try options.choice("attention", default: KeyWeights.plain)
        let positions = try options.choice("positions", default: PositionPolicy.original)
        let budget = try options.choice("budget", default: Budget.final)
        let stages = Stages(
            filter: filter, correlate: correlate, compress: compress, schedule: schedule, order: order,
            proportionalAttention: attention == .proportional, positions: positions)
        try stages.check(in: place)
        return ReductionMethod(
            encoder: place == .visionEncoder ? stages : nil, projector: place == .projector ? stages : nil,
            decoder: place == .languageModel ? stages : nil, budget: budget)
    }
}
