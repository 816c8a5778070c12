public import ImageDecoding
public import ResultFiles

/// What became of a picture's patches as pictures: the view itself, what is left after steps, and where content went.
public struct ReductionPanels: Sendable {
    /// The pictures, all of one size, with a title each.
    public let panels: [(title: String, picture: Picture)]

    /// Panels of a row: the view, at most `steps` of its steps (the last among them), and the groups of merged patches.
    public init(_ view: ModelView, row: ResultRow, steps most: Int = 4) {
        var panels = [(title: "the model's view", picture: view.picture)]
        let count = row.steps.layer.count
        // Evenly over the steps, the last one included.
        let shown = (1...max(1, most)).map { $0 * count / max(1, most) - 1 }.filter { $0 >= 0 }
        for step in Set(shown).sorted() {
            let own = view.tokens.filter { $0 < row.tokens.leftAt.count && row.tokens.isThere($0, after: step) }
            let title = "after layer \(row.steps.layer[step]): \(own.count) tokens"
            let kept = view.fading { $0 < row.tokens.leftAt.count && row.tokens.isThere($0, after: step) }
            panels.append((title, kept))
        }
        if row.tokens.leftAt.contains(where: { $0 != ResultRow.Tokens.survived }) {
            panels.append(("where content went", view.colouringGroups(row.tokens)))
        }
        self.panels = panels
    }

    /// The panels of several tiles on white, a line for each tile, `gap` pixels apart.
    public static func sheet(_ tiles: [ReductionPanels], gap: Int = 12) -> Picture {
        let widths = tiles.map { $0.panels.reduce(gap) { $0 + $1.picture.width + gap } }
        let heights = tiles.map { ($0.panels.map(\.picture.height).max() ?? 0) + gap }
        let width = widths.max() ?? gap, height = heights.reduce(gap, +)
        var pixels = [UInt8](repeating: 255, count: width * height * 3)
        var top = gap
        for (tile, tall) in zip(tiles, heights) {
            var left = gap
            for (_, picture) in tile.panels {
                for y in 0..<picture.height {
                    let row = picture.pixels[y * picture.width * 3..<(y + 1) * picture.width * 3]
                    let place = ((y + top) * width + left) * 3
                    pixels.replaceSubrange(place..<place + row.count, with: row)
                }
                left += picture.width + gap
            }
            top += tall
        }
        return Picture(width: width, height: height, pixels: pixels)
    }
}
