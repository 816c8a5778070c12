extension MethodRecipe {
    /// CDPruner without the question: keeps the most various set of tokens as a determinantal point process sees it.
    ///
    /// Zhang et al., NeurIPS 2025, section 3. The method weighs the kernel by each token's relevance to the question,
    /// which takes CLIP's text tower; LLaVA-1.5 checkpoints do not hold it, so this is the variant of relevance 1. Its
    /// numbers are not those that the paper prints for the whole method. After the projector; order kept, nothing merged.
    public static let cdPruner = MethodRecipe(
        name: "cdpruner",
        citation: "Zhang et al., Beyond Attention or Similarity, NeurIPS 2025, arXiv:2506.10967, text-free"
    ) { _ in
        ReductionMethod(
            projector: Stages(
                filter: DeterminantalDiversity(), correlate: NoTarget(), compress: NoMerge(), schedule: .afterLast))
    }
}
