extension MethodRecipe {
    /// DART: keeps what is least like a few pivots, once, in an early layer of the language model.
    ///
    /// Wen et al., EMNLP 2025, before layer 2 (`layer`), see ``PivotDissimilarity``. Order and position ids as they were,
    /// nothing merged, and no attention looked at. The paper's 128 is 132: 4 pivots and 16 tokens for each of 8.
    public static let dart = MethodRecipe(
        name: "dart", citation: "Wen et al., Stop Looking for Important Tokens, EMNLP 2025, arXiv:2502.11494"
    ) { options throws(ReductionError) in
        try ReductionMethod(
            decoder: Stages(
                filter: PivotDissimilarity(reading: &options),
                correlate: NoTarget(), compress: NoMerge(),
                schedule: .before(options.integer("layer", default: 2, in: 1...999))),
            budget: options.choice("budget", default: .final))
    }
}
