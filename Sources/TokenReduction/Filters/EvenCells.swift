/// Cuts the picture into as many cells as tokens stay; the token in the middle of each cell stays.
///
/// The tokens are cut into bands of rows, √(keep · height/width) of them rounded, and each band into cells from left to
/// right. Bands and cells share the tokens out as evenly as whole numbers allow, so the budget is met exactly whatever it
/// is, and no cell is empty. Where keep is a square that fits the grid the cells are squares: 64 of 24 x 24 patches are
/// cells of 3 x 3, 144 of 2 x 2. Else a band may end inside a row.
public struct EvenCells: Filter {
    /// The cells have no parameters.
    public init() {}

    /// Nothing but where the tokens stand.
    public var needs: EvidenceNeeds { [] }

    /// A token's partner is the middle of its cell.
    public var offers: CandidateContent { .partners }

    /// One line for the table of methods.
    public var summary: String { "all but the middle of each cell" }

    /// All but the middles, cell after cell; a token's score is its distance from its cell's middle, its partner that
    /// middle.
    public func candidates(in layer: LayerView, removing count: Int) throws(ReductionError) -> Candidates {
        let (columns, rows) = (layer.grids.columns, layer.grids.rows)
        let keep = layer.count - count
        // Tiles lie one below another.
        let above = layer.grids.grids.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.rows) }
        let place = { (token: Int) in
            let place = layer.grids.place(of: layer.positions[token])
            return (row: above[place.tile] + place.row, column: place.column)
        }
        let ideal = (Double(keep) * Double(rows) / Double(columns)).squareRoot().rounded()
        let bands = min(max(Int(ideal), 1), keep)

        var scores = [Double](repeating: 0, count: layer.count)
        var partners = Array(0..<layer.count)
        var sources: [Int] = []
        let tokens = (0..<layer.count).sorted { layer.positions[$0] < layer.positions[$1] }
        for band in 0..<bands {
            let cells = keep * band / bands..<keep * (band + 1) / bands
            let members = tokens[layer.count * cells.lowerBound / keep..<layer.count * cells.upperBound / keep]
                .sorted { (place($0).column, place($0).row) < (place($1).column, place($1).row) }
            for cell in 0..<cells.count {
                let inside = members[members.count * cell / cells.count..<members.count * (cell + 1) / cells.count]
                let size = Double(inside.count)
                let row = inside.reduce(0) { $0 + Double(place($1).row) } / size
                let column = inside.reduce(0) { $0 + Double(place($1).column) } / size
                for token in inside {
                    let (down, right) = (Double(place(token).row) - row, Double(place(token).column) - column)
                    scores[token] = down * down + right * right
                }
                let ranked = inside.sorted { (scores[$0], layer.positions[$0]) < (scores[$1], layer.positions[$1]) }
                guard let middle = ranked.first else { continue }
                for token in inside { partners[token] = middle }
                sources += ranked.dropFirst()
            }
        }
        return Candidates(scores: scores, sources: sources, partners: partners)
    }
}
