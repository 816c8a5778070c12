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
        let axis = try options.choice("axis", default: TextAxis.received)
        let version = try options.choice("version", default: PaperVersion.v1)
        return try ReductionMethod(
            decoder: Stages(
                filter: TaskRedundancy(  // eq. 3
                    beta: options.number("beta", default: 0.6, in: 0...1), axis: axis, version: version,
                    scale: options.choice("normalize", default: TermScale.none)),
                correlate: TextMediatedAttention(  // eq. 4
                    gamma: options.number("gamma", default: 0.6, in: 0...1), axis: axis, version: version,
                    above: QuantileShare(epsilon: options.number("epsilon", default: 0.998, in: 0...1))),
                compress: SelfPreservingMerge(),  // eq. 2
                schedule: Schedule(from: 3, of: 32, fixedFirstLayer: options.fromLayer())),
            budget: options.choice("budget", default: .final))
    }
}
