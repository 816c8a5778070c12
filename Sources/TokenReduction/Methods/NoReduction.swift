extension MethodRecipe {
    /// No reduction: every visual token reaches the end, the baseline of every comparison.
    public static let noReduction = MethodRecipe(name: "none", citation: "the model as published") { _ in
        ReductionMethod()
    }
}
