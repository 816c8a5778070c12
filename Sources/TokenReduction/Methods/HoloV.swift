extension MethodRecipe {
    /// HoloV: every part of the picture keeps a share of the tokens, after the projector.
    ///
    /// Zou et al., NeurIPS 2025, see ``CropQuota``: cosines are of the projected rows, attention is the class token's in
    /// the last layer of the tower that runs. Survivors stand crop after crop, by falling attention inside, as the authors'
    /// code hands them on; `order=sequence` keeps the raster.
    public static let holoV = MethodRecipe(
        name: "holov", citation: "Zou et al., Don't Just Chase \"Highlighted Tokens\", NeurIPS 2025, arXiv:2510.02912"
    ) { options throws(ReductionError) in
        try ReductionMethod(
            projector: Stages(
                filter: CropQuota(reading: &options),
                correlate: NoTarget(), compress: NoMerge(), schedule: .afterLast,
                order: options.choice("order", default: CropOrder.published) == .published ? .chosen : .sequence))
    }
}

/// In which order HoloV's survivors stand.
private enum CropOrder: String, CaseIterable {
    /// Crop after crop, by falling attention.
    case published
    /// In the order of the sequence.
    case sequence
}
