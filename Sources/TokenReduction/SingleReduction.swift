internal import JobVocabulary
public import Tensors

/// One step of a method on a researcher's own tensors, outside any model.
public struct SingleReduction: Sendable {
    /// What was chosen; rows of the input.
    public let step: ReductionStep
    /// The rows that stay, (rows − removed, width), in the precision of the input.
    public let hidden: Tensor

    /// Reduces `hidden`, (rows, width), to `keep` visual tokens; the input is not written to.
    ///
    /// A method that works in both places takes its encoder stages where the layout has a class token, its decoder
    /// stages where it has none.
    public init(
        method: ReductionMethod, keep: Int, hidden: Tensor, evidence: Evidence, layout: TokenLayout, grid: PatchGrid
    ) throws(ReductionError) {
        try layout.check()
        guard !hidden.shape.isEmpty, hidden.rows == layout.rows else {
            throw ReductionError(.mismatch, "hidden states of \(hidden.shape) do not have \(layout.rows) rows")
        }
        guard (1...max(layout.visual.count, 1)).contains(keep) else {
            throw ReductionError(
                .badBudget,
                "cannot keep \(keep) of \(layout.visual.count) visual tokens: at least one must stay, and no more than there are"
            )
        }
        try evidence.checkNumbers()
        guard hidden.holdsFiniteNumbers else {
            throw ReductionError(
                .notFinite, "the hidden states hold NaN or infinity: a reduction compares and adds them")
        }
        let preferred: ReductionPlace = layout.classToken == nil ? .languageModel : .visionEncoder
        let removal = max(0, layout.visual.count - keep)
        guard let stages = method.stages(in: preferred) ?? method.encoder ?? method.projector ?? method.decoder else {
            guard removal == 0 else {
                throw ReductionError(
                    .badBudget,
                    "\(method.name) keeps all \(layout.visual.count) visual tokens: choose a method that reduces")
            }
            self.step = ReductionStep(
                scores: [Double](repeating: 0, count: layout.visual.count),
                correlation: Correlation(sources: [], edges: []), layout: layout)
            self.hidden = hidden.gathering(Array(0..<hidden.rows))
            return
        }
        let view = try LayerView(
            layout: layout, evidence: evidence, grid: grid, positions: Array(0..<layout.visual.count))
        let merged = hidden.gathering(Array(0..<hidden.rows))
        self.step = try stages.reduce(view, hidden: merged, removing: removal)
        self.hidden = merged.gathering(step.kept)
    }
}
