extension MethodRecipe {
    /// FastV: drops, once, what the prompt's last word looks at least in an early layer of the language model.
    ///
    /// Chen et al., ECCV 2024, section 4. The score is the head-mean attention of the last row of the prompt in layer K-1;
    /// the tokens are dropped before layer K (`layer`, 0-based, the paper's 2), after K whole layers. The paper's prose
    /// speaks of attention received from all tokens; the code and its authors use the last one, and so do we.
    ///
    /// Of the published implementations this is the one that prunes once during prefill: survivors keep their original
    /// position ids, layers before K cache the whole prompt, the others what is left, and the answer goes on after the
    /// whole prompt. It equals masking the dropped keys. `keep` is the number after layer K; with `budget=average` the
    /// mean over all layers, as in the tables of later papers.
    public static let fastV = MethodRecipe(
        name: "fastv", citation: "Chen et al., An Image is Worth 1/2 Tokens After Layer 2, ECCV 2024, arXiv:2403.06764"
    ) { options throws(ReductionError) in
        try ReductionMethod(
            decoder: Stages(
                filter: ObserverAttention(), correlate: NoTarget(), compress: NoMerge(),
                schedule: .before(options.integer("layer", default: 2, in: 1...999))),
            budget: options.choice("budget", default: .final))
    }
}
