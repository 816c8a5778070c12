extension MethodRecipe {
    /// Average pooling: the mean of each of `keep` equal cells of the picture, after the tower.
    ///
    /// Pooling windows tile only some grids, so a pool that delivers any budget exactly must choose: the cells are those of
    /// ``EvenCells``, as equal as whole numbers allow, and each patch is in exactly one. For a square budget that divides
    /// the grid this is plain average pooling. A mean bears the position of the patch in the middle of its cell.
    public static let averagePool = MethodRecipe(name: "average-pool", citation: "control") { _ in
        ReductionMethod(
            encoder: Stages(
                filter: EvenCells(), correlate: ToPartner(), compress: SizeWeightedMean(), schedule: .afterLast))
    }
}
