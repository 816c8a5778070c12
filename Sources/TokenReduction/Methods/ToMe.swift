extension MethodRecipe {
    /// ToMe: in every layer of the tower, the closest pairs of tokens become one.
    ///
    /// Bolya et al., ICLR 2023, section 3: bipartite matching on the head-mean keys, means weighted by sizes, and
    /// proportional attention, softmax(qk/√d + log m), with the sizes carried from layer to layer. `attention=plain`
    /// leaves log m out, as for checkpoints trained by masking. Survivors go on as the authors' code leaves them, even rows
    /// before odd ones, so that the next layer pairs other tokens; restoring the order would change the result.
    ///
    /// The removals are spread over all layers that run, the larger ones first: 192 of LLaVA's 576 are sixteen 17s and
    /// seven 16s. No paper that quotes ToMe on LLaVA says what schedule it used.
    public static let toMe = MethodRecipe(
        name: "tome", citation: "Bolya et al., Token Merging, ICLR 2023, arXiv:2210.09461, section 3"
    ) { options throws(ReductionError) in
        try ReductionMethod(
            encoder: Stages(
                filter: BipartiteMatch(), correlate: ToPartner(), compress: SizeWeightedMean(),
                schedule: Schedule(from: 0, of: 23, fixedFirstLayer: options.fromLayer()), order: .alternating,
                proportionalAttention: options.choice("attention", default: KeyWeights.proportional) == .proportional))
    }
}

/// How attention counts a token that stands for several.
enum KeyWeights: String, CaseIterable {
    /// A merged token counts once for each token that it stands for.
    case proportional
    /// Every token counts once.
    case plain
}
