extension MethodRecipe {
    /// Random: keeps tokens at random after the tower, the control that recent studies find hard to beat.
    ///
    /// `seed` settles the choice, which is the same in every picture; see ``RandomChoice``.
    public static let random = MethodRecipe(name: "random", citation: "control") { options throws(ReductionError) in
        try ReductionMethod(
            encoder: Stages(
                filter: RandomChoice(reading: &options),
                correlate: NoTarget(), compress: NoMerge(), schedule: .afterLast))
    }
}
