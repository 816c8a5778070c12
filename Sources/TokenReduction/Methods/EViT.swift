extension MethodRecipe {
    /// EViT: in a few layers of the tower, what the class token looks at least becomes one new token.
    ///
    /// Liang et al., ICLR 2022, section 3. Attention is the head-mean of [CLS]; survivors go on in the order of attention,
    /// as in the authors' code, the new token after them, an ordinary token in the next reducing layer. It is the sum of
    /// what it is made of weighted by attention, not divided by the weights; `normalize` divides.
    ///
    /// The paper reduces in blocks 3, 6 and 9 of 12. Nobody has said where in CLIP ViT-L; here 6, 12 and 18 of the 23
    /// that run, with the same share staying in each, the new token counted, so that exactly `keep` are left.
    public static let eViT = MethodRecipe(
        name: "evit", citation: "Liang et al., Not All Patches are What You Need, ICLR 2022, arXiv:2202.07800"
    ) { options throws(ReductionError) in
        try ReductionMethod(
            encoder: Stages(
                filter: ObserverAttention(), correlate: IntoOne(),
                compress: AttentionWeightedSum(reading: &options),
                schedule: Schedule(at: [6, 12, 18], of: 23), order: .score))
    }
}
