extension MethodRecipe {
    /// DivPrune: keeps tokens that are as far from one another as can be, after the projector.
    ///
    /// Alvar et al., CVPR 2025, algorithm 1: a greedy solution of the max-min diversity problem on cosine distances of the
    /// projected features. Order kept, nothing merged. See ``MaxMinDiversity`` for the first token.
    public static let divPrune = MethodRecipe(
        name: "divprune", citation: "Alvar et al., DivPrune, CVPR 2025, arXiv:2503.02175, algorithm 1"
    ) { _ in
        ReductionMethod(
            projector: Stages(
                filter: MaxMinDiversity(), correlate: NoTarget(), compress: NoMerge(), schedule: .afterLast))
    }
}
