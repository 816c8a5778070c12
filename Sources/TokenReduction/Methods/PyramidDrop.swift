extension MethodRecipe {
    /// PyramidDrop: before three layers of the language model, drops what the last word will look at least in them.
    ///
    /// Xing et al., CVPR 2025: before the layers 8, 16 and 24 of 32, ranked by that very layer's attention, computed from its
    /// norm and projections before it runs (see ``UpcomingObserverAttention``); FastV ranks by the layer before. The same
    /// share stays in each: the authors' 288, 144 and 72 are `keep` 72. Order kept, position ids numbered anew after each
    /// drop, the answer going on right behind.
    ///
    /// `keep` is the number at the end, with `budget=average` the mean over all layers: 270 for the authors' setting, and
    /// never below a quarter of the tokens, since a quarter of the layers sees them all. Tables with PyramidDrop at 128 or
    /// 64 have moved the layers; `schedule` does.
    public static let pyramidDrop = MethodRecipe(
        name: "pyramiddrop", citation: "Xing et al., PyramidDrop, CVPR 2025, arXiv:2410.17247"
    ) { options throws(ReductionError) in
        try ReductionMethod(
            decoder: Stages(
                filter: UpcomingObserverAttention(headsAsOne: false), correlate: NoTarget(), compress: NoMerge(),
                schedule: options.schedule(standard: "before 8, 16, 24 of 32")
                    ?? Schedule(before: [8, 16, 24], of: 32),
                positions: options.choice("positions", default: .renumbered)),
            budget: options.choice("budget", default: .final))
    }
}
