extension MethodRecipe {
    /// VisPruner: keeps important tokens by class attention and various ones among the rest, after the tower.
    ///
    /// Zhang et al., ICCV 2025, section 3. `important` is the share of the budget that attention chooses: the authors use
    /// 0.5 for 128 tokens and 0.75 in their example of 64; 0.5 is the default for all. See ``AttentionThenVariety``.
    public static let visPruner = MethodRecipe(
        name: "vispruner", citation: "Zhang et al., Beyond Text-Visual Attention, ICCV 2025, arXiv:2412.01818v2"
    ) { options throws(ReductionError) in
        try ReductionMethod(
            encoder: Stages(
                filter: AttentionThenVariety(reading: &options),
                correlate: NoTarget(), compress: NoMerge(), schedule: .afterLast))
    }
}
