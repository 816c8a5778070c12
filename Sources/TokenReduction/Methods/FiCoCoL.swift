extension MethodRecipe {
    /// FiCoCo-L: what the picture repeats and the text ignores goes, inside the language model.
    ///
    /// Han et al., AAAI 2026, equations 3, 4 and 2, in the 4th layer of the language model (index 3 of 32) and after;
    /// the authors' code starts two later. Sources and targets are visual tokens only. See ``TaskRedundancy`` for
    /// `axis` and ``PaperVersion`` for `version`. The defaults, attention received from the text and its plain sum, are
    /// the reading that answers most questions of the demo benchmark rightly (Jobs/benchmarks/README.md). `normalize=l2`
    /// scales the terms of equation 3 to length one, as the authors' code does in FiCoCo-V; in FiCoCo-L that code takes a
    /// sum over the picture against a mean over the text.
    public static let fiCoCoL = MethodRecipe(
        name: "ficoco-l", citation: "Han et al., Filter, Correlate, Compress, AAAI 2026, arXiv:2411.17686v4, eq. 2–4"
    ) { options throws(ReductionError) in
        let filter = try TaskRedundancy(reading: &options)  // eq. 3
        return try ReductionMethod(
            decoder: Stages(
                filter: filter,
                // eq. 4
                correlate: TextMediatedAttention(reading: &options, axis: filter.axis, version: filter.version),
                compress: SelfPreservingMerge(),  // eq. 2
                schedule: Schedule(from: 3, of: 32, fixedFirstLayer: options.fromLayer())),
            budget: options.choice("budget", default: .final))
    }
}
