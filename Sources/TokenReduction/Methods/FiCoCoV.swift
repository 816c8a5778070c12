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
        let filter = try VisionRedundancy(reading: &options)  // eq. 1
        return try ReductionMethod(
            encoder: Stages(
                filter: filter,
                correlate: DirectAttention(scores: filter.scores, above: QuantileShare(reading: &options)),
                compress: SelfPreservingMerge(),  // eq. 2
                schedule: Schedule(from: 11, of: 23, fixedFirstLayer: options.fromLayer())))
    }
}
