extension MethodRecipe {
    /// Uniform grid: keeps evenly spaced tokens after the tower, one in the middle of each of `keep` equal cells.
    ///
    /// What the cells are when `keep` is not a square, ``EvenCells`` says.
    public static let uniformGrid = MethodRecipe(name: "uniform-grid", citation: "control") { _ in
        ReductionMethod(
            encoder: Stages(filter: EvenCells(), correlate: NoTarget(), compress: NoMerge(), schedule: .afterLast))
    }
}
