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

    /// The panels of several tiles on white, a line for each tile, each panel under its title, `gap` pixels apart.
    ///
    /// - Parameter names: What stands over the line of each tile; empty for nothing.
    public static func sheet(_ tiles: [ReductionPanels], names: [String] = [], gap: Int = 12) -> Picture {
        let widths = tiles.map { $0.panels.reduce(gap) { $0 + $1.picture.width + gap } }
        let width = widths.max() ?? gap
        let lines = tiles.enumerated().map { number, tile in
            Line(tile, name: number < names.count ? names[number] : "", width: width - 2 * gap)
        }
        let height = lines.reduce(gap) { $0 + $1.height + gap }
        var pixels = [UInt8](repeating: 255, count: width * height * 3)
        var top = gap
        for line in lines {
            line.draw(into: &pixels, width: width, top: top, gap: gap)
            top += line.height + gap
        }
        return Picture(width: width, height: height, pixels: pixels)
    }

    /// The panels of one tile under their titles, all captions of a line as high as the highest.
    private struct Line {
        let name: Caption
        let panels: [(title: Caption, picture: Picture)]
        let titleHeight, height: Int
        private static let space = 4

        init(_ tile: ReductionPanels, name: String, width: Int) {
            self.name = Caption(name, width: width)
            panels = tile.panels.map { (Caption($0.title, width: $0.picture.width), $0.picture) }
            titleHeight = (panels.map(\.title.height).max() ?? 0) + Self.space
            height = self.name.height + titleHeight + (panels.map(\.picture.height).max() ?? 0)
        }

        func draw(into pixels: inout [UInt8], width: Int, top: Int, gap: Int) {
            name.draw(into: &pixels, width: width, left: gap, top: top)
            let top = top + name.height
            var left = gap
            for (title, picture) in panels {
                title.draw(into: &pixels, width: width, left: left, top: top + titleHeight - Self.space - title.height)
                for y in 0..<picture.height {
                    let row = picture.pixels[y * picture.width * 3..<(y + 1) * picture.width * 3]
                    let place = ((y + top + titleHeight) * width + left) * 3
                    pixels.replaceSubrange(place..<place + row.count, with: row)
                }
                left += picture.width + gap
            }
        }
    }

    /// The panels in half blocks of 24-bit colour, each under its title, as many side by side as a terminal of `width`
    /// characters has room for.
    ///
    /// - Parameter columns: Characters across a panel; at most `width`.
    public func blocks(columns: Int, width: Int) -> String {
        let gap = 2, columns = max(1, min(columns, width))
        let together = max(1, (width + gap) / (columns + gap))
        return stride(from: 0, to: panels.count, by: together).map { start in
            let drawn = panels[start..<min(start + together, panels.count)].map { title, picture in
                let across = min(columns, picture.width)
                let titles = Caption(title, width: across * Caption.cell.width).lines
                let padded = titles.map { $0 + String(repeating: " ", count: across - $0.count) }
                return (
                    empty: String(repeating: " ", count: across), titles: padded,
                    lines: picture.blockLines(columns: across)
                )
            }
            func rows(_ cells: [(empty: String, lines: [String])]) -> [String] {
                (0..<(cells.map(\.lines.count).max() ?? 0)).map { row in
                    cells.map { row < $0.lines.count ? $0.lines[row] : $0.empty }
                        .joined(separator: String(repeating: " ", count: gap))
                }
            }
            return (rows(drawn.map { ($0.empty, $0.titles) }) + rows(drawn.map { ($0.empty, $0.lines) }))
                .map { $0 + "\n" }.joined()
        }.joined(separator: "\n")
    }
}
