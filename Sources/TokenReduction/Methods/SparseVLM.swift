extension MethodRecipe {
    /// SparseVLM: in three layers of the language model, the words that speak about the picture say which tokens go.
    ///
    /// Zhang et al., ICML 2025, the authors' code of version 1.5: after the layers 2, 6 and 15 of 32, ranked by that layer's
    /// own attention (see ``RaterAttention``); the best of what goes is recycled in clusters (``ClusterCentres``, off with
    /// `recycle=false`) that stand after the others, and positions are numbered anew. The paper lets the rank of the
    /// attention settle how many go; the code has fixed numbers, and so do we: the same share stays in each layer, or
    /// `schedule` says, such as the authors' `before:3=300,7=200,16=110`. Those count no clusters; ours do.
    ///
    /// `keep` is the number at the end, with `budget=average` the mean over all layers. The authors call their 300, 200 and
    /// 110 an average of 192 by taking the reducing layers as already short; with their clusters they are 206.5.
    public static let sparseVLM = MethodRecipe(
        name: "sparsevlm", citation: "Zhang et al., SparseVLM, ICML 2025, arXiv:2410.04417, code v1.5"
    ) { options throws(ReductionError) in
        let recycles = try options.flag("recycle", default: true)
        return try ReductionMethod(
            decoder: Stages(
                filter: RaterAttention(), correlate: recycles ? ClusterCentres() : NoTarget(),
                compress: recycles ? PlainMean() : NoMerge(),
                schedule: options.schedule(standard: "before 3, 7, 16 of 32") ?? Schedule(before: [3, 7, 16], of: 32),
                order: .fusedLast, positions: options.choice("positions", default: .renumbered)),
            budget: options.choice("budget", default: .final))
    }
}
