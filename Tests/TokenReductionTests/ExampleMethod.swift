public import TokenReduction

/// Gives up what the class token looks at least, sooner the farther it lies from the middle of its picture.
///
///     sᵢ = centre · dᵢ − aᵢ / maxⱼ aⱼ,   d: half the squared distance from the middle, 1 in the corners
public struct CentredAttention: Filter {
    /// How much the place counts beside attention.
    public let centre: Double

    /// Reads the option `centre`; default: 0.5.
    init(reading options: inout MethodOptions) throws(ReductionError) {
        centre = try options.number("centre", default: 0.5, in: 0...10)
    }

    /// One row of attention: a layer computes only what its stages name here.
    public var needs: EvidenceNeeds { .observerAttention }

    /// The ranking is of all tokens and not only of those that go.
    public var offers: CandidateContent { .ranking }

    /// One line for `winnow methods`.
    public var summary: String { "least class attention, sooner far from the middle (\(centre))" }

    /// All tokens, the largest score first.
    public func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates {
        let attention = try layer.observerAttention()
        let most = max(attention.max() ?? 0, .leastNormalMagnitude)
        let scores = zip(layer.positions, attention).map { position, attention in
            let place = layer.grids.place(of: position), grid = layer.grids.grids[place.tile]
            let down = 2 * (Double(place.row) + 0.5) / Double(grid.rows) - 1
            let right = 2 * (Double(place.column) + 0.5) / Double(grid.columns) - 1
            return centre * (down * down + right * right) / 2 - attention / most
        }
        return try Candidates(largest: layer.count, of: scores)
    }
}

extension MethodRecipe {
    /// Keeps what the class token looks at most near the middle, once after the tower's last layer; nothing is merged.
    public static let centredAttention = MethodRecipe(
        name: "centred-attention", citation: "an example"
    ) { options throws(ReductionError) in
        try ReductionMethod(
            encoder: Stages(
                filter: CentredAttention(reading: &options), correlate: NoTarget(), compress: NoMerge(),
                schedule: .afterLast))
    }
}
