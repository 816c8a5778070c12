extension MethodRecipe {
    /// VisionZip: keeps what the class token looks at most, and folds the rest into a few contextual tokens.
    ///
    /// Yang et al., CVPR 2025, section 3, after the layer whose output the projector reads. Attention is summed over heads,
    /// which ranks like the mean taken here. `contextual` is the share of the budget that contextual tokens have; the
    /// default gives the authors' 10 of 64, 20 of 128 and 30 of 192. They stand after the dominant ones, as in the code.
    ///
    /// The authors count the class token among the dominant ones and hand it to the decoder. Here `keep` counts patches,
    /// so one more patch is dominant in its place. Where the paper speaks of averaging, the code adds a target and the mean
    /// of what it takes in; we follow the code (`merge=sum`), and offer the mean of all (`merge=mean`).
    public static let visionZip = MethodRecipe(
        name: "visionzip", citation: "Yang et al., VisionZip, CVPR 2025, arXiv:2412.04467, section 3"
    ) { options throws(ReductionError) in
        let targets = try ContextualTargets(reading: &options, as: "contextual")
        let merge: any Compress =
            switch try options.choice("merge", default: ContextualMerge.sum) {
            case .sum: TargetPlusMean()
            case .mean: SizeWeightedMean()
            }
        return ReductionMethod(
            encoder: Stages(
                filter: ObserverAttention(), correlate: targets, compress: merge,
                schedule: .afterLast, order: .fusedLast))
    }
}

/// How a contextual token of VisionZip is made.
private enum ContextualMerge: String, CaseIterable {
    /// Target plus the mean of its sources, the authors' code.
    case sum
    /// The mean of target and sources, the paper's word.
    case mean
}
