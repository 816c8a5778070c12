public import JobVocabulary
public import Tensors

/// Drops rows in the layers of one part of the model, called layer by layer.
public protocol RowReduction {
    /// Whether layer `layer` of `place` gives up tokens, or asks whether to; at `moment` only, if one is given.
    func reduces(place: ReductionPlace, layer: Int, at moment: Moment?) -> Bool
    /// Whether tokens that stay in `place` take something in of those that go.
    func merges(in place: ReductionPlace) -> Bool
    /// Reduces the rows of one layer and returns those that stay, in the order in which they go on.
    ///
    /// `hidden`, (rows, width), is the residual stream at the moment of the schedule; surviving visual rows are written in
    /// place. A layer without removals changes nothing and returns all rows.
    mutating func reduce(
        place: ReductionPlace, layer: Int, hidden: Tensor, evidence: Evidence, layout: TokenLayout
    ) throws(ReductionError) -> [Int]
}
