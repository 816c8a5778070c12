extension MethodRecipe {
    /// CDPruner: keeps the most various set of tokens as a determinantal point process sees it, weighed by the question.
    ///
    /// Zhang et al., NeurIPS 2025, arXiv:2506.10967. After the projector; order kept, nothing merged. The kernel of cosines is
    /// weighed by each token's relevance to the question, which takes CLIP's text tower. LLaVA-1.5 checkpoints do not hold
    /// it, so `relevance=none`, the default, is the variant of relevance 1, whose numbers are not those of the paper;
    /// `relevance=question` is the method of the authors' code and needs the folder of the whole CLIP model: CLIP's cosine
    /// of each patch with each 77 tokens of the question, averaged, negated, and scaled to 0 … 1. The code negates what
    /// the paper does not: `relevance=question-positive` favours the patches that are like the question.
    public static let cdPruner = MethodRecipe(
        name: "cdpruner",
        citation: "Zhang et al., Beyond Attention or Similarity, NeurIPS 2025, arXiv:2506.10967; without the question "
            + "unless relevance=question, which needs CLIP's text tower"
    ) { options throws(ReductionError) in
        try ReductionMethod(
            projector: Stages(
                filter: DeterminantalDiversity(reading: &options), correlate: NoTarget(), compress: NoMerge(),
                schedule: .afterLast))
    }
}
