extension MethodRecipe {
    /// FiCoCo-V: what neighbours repeat and the class token ignores goes, inside the vision tower.
    ///
    /// Han et al., AAAI 2026, equations 1 and 2, in the 12th layer of the tower and after. LLaVA-1.5 runs 23 of its 24
    /// layers, so these are the indices 11 … 22 and all removals reach the decoder; the authors' code starts one later
    /// and also reduces in a layer whose output nobody reads. Readings that the paper leaves open are options; see
    /// ``VisionRedundancy`` for `axis` and `scores`. `scores` also picks what ``DirectAttention`` shares by. The default,
    /// rows of logits as in the authors' code, is the reading that answers most questions of the demo benchmark rightly
    /// (Jobs/benchmarks/README.md); rows of probabilities are equation 1 to the letter. `normalize=l2` weighs the terms as
    /// the authors' code does, each of length one and 0.65 on the vision term unless `lambda` says otherwise: what it then
    /// gives up is what that code would, but for the code's local penalty, which forgets pictures (see ``LocalPenalty``).
    public static let fiCoCoV = MethodRecipe(
        name: "ficoco-v", citation: "Han et al., Filter, Correlate, Compress, AAAI 2026, arXiv:2411.17686v4, eq. 1, 2"
    ) { options throws(ReductionError) in
        let scores = try options.choice("scores", default: AttentionScores.logits)
        let scale = try options.choice("normalize", default: TermScale.none)
        return try ReductionMethod(
            encoder: Stages(
                filter: VisionRedundancy(  // eq. 1
                    lambda: options.number("lambda", default: scale.visionWeight, in: 0...1),
                    axis: options.choice("axis", default: VisionAxis.row), scores: scores, scale: scale,
                    localPenalty: LocalPenalty(
                        window: options.integer("window", default: 2, in: 1...256),
                        factor: options.number("penalty", default: 2, in: 1...1000))),
                correlate: DirectAttention(
                    scores: scores,
                    above: QuantileShare(epsilon: options.number("epsilon", default: 0.998, in: 0...1))),
                compress: SelfPreservingMerge(),  // eq. 2
                schedule: Schedule(from: 11, of: 23, fixedFirstLayer: options.fromLayer())))
    }
}
