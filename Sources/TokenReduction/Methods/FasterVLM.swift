extension MethodRecipe {
    /// FasterVLM: keeps what the class token looks at most in the layer whose output the projector reads.
    ///
    /// Zhang et al., 2024: head-mean attention of [CLS], order kept, nothing merged. The simplest strong baseline; EViT
    /// without its new token, applied once.
    public static let fasterVLM = MethodRecipe(
        name: "fastervlm", citation: "Zhang et al., [CLS] Attention is All You Need, arXiv:2412.01818v1"
    ) { _ in
        ReductionMethod(
            encoder: Stages(
                filter: ObserverAttention(), correlate: NoTarget(), compress: NoMerge(), schedule: .afterLast))
    }
}
