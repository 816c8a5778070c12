extension MethodRecipe {
    /// FiCoCo-VL: FiCoCo-V in the vision tower, then FiCoCo-L in the language model.
    ///
    /// Only the first version of the paper (arXiv:2411.17686v1) has it, and how it splits the budget is not known. Here
    /// both halves keep the same share of what enters them, so √(N · keep) tokens pass between them; `encoder-keep`
    /// sets another number. The options of the halves are those of the two methods, under `encoder-` and `decoder-`.
    public static let fiCoCoVL = MethodRecipe(
        name: "ficoco-vl", citation: "Han et al., Rethinking Token Reduction in MLLMs, arXiv:2411.17686v1"
    ) { options throws(ReductionError) in
        let encoderKeep = try options.integer("encoder-keep", standard: "geometric mean", in: 1...65_535)
        let encoder = try options.part("encoder", MethodRecipe.fiCoCoV.build)
        let decoder = try options.part("decoder", MethodRecipe.fiCoCoL.build)
        return ReductionMethod(
            encoder: encoder.encoder, decoder: decoder.decoder,
            encoderBudget: encoderKeep.map { .tokens($0) } ?? .geometricMean, budget: decoder.budget)
    }
}
