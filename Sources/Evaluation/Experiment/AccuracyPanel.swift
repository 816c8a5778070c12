import Foundation

/// The panel of one method in an accuracy plot: its score at each budget, beside the baseline.
struct AccuracyPanel {
    let frame: PlotFrame
    let method: String
    let baseline: Double?
    let colour: String

    func svg(_ cells: [GridSummary.Cell]) -> String {
        let own = points(cells)
        var parts = [axes, SVGText(frame.left, frame.top - 8, method, colour: colour, weight: "bold").svg]
        if let baseline {
            let isShown = frame.shows(score: baseline), at = frame.down(baseline)
            let name = "none \(Self.number(baseline))\(isShown ? "" : " ↑")"
            parts.append(SVGText(frame.right, frame.top - 8, name, size: 10, colour: "#666", anchor: "end").svg)
            if isShown {
                parts.append(
                    "<line x1=\"\(frame.left)\" x2=\"\(frame.right)\" y1=\"\(at)\" y2=\"\(at)\" stroke=\"#888\" "
                        + "stroke-dasharray=\"4 3\"/>")
            }
        }
        parts.append(Self.line(own, "stroke=\"\(colour)\" stroke-width=\"2\""))
        var taken = own.map { PlotBox($0.x - 5, $0.high - 1, $0.x + 5, $0.low + 1) }
        if let baseline, frame.shows(score: baseline) {
            let at = frame.down(baseline)
            taken.append(PlotBox(frame.left, at - 1, frame.right, at + 1))
        }
        for point in own {
            parts.append(bar(point))
            let budget = "\(point.cell.keep ?? 0)"
            let labels =
                [point.high - 4, point.low + 12, point.high - 16, point.low + 24, point.high - 28].map { base in
                    SVGText(point.x, base, budget, size: 10, anchor: "middle")
                }
                + [("start", 8.0), ("end", -8)].map { anchor, aside in
                    SVGText(point.x + aside, point.y + 4, budget, size: 10, anchor: anchor)
                }
            // If everything is taken a number still stands at its point.
            let free = labels.first { label in
                !taken.contains { $0.overlaps(label.box) } && label.box.top >= frame.top
                    && label.box.bottom <= frame.bottom
            }
            taken.append((free ?? labels[0]).box)
            parts.append((free ?? labels[0]).svg)
        }
        return parts.joined(separator: "\n")
    }

    private struct Point {
        let cell: GridSummary.Cell
        let x, y, high, low: Double
    }

    private func points(_ cells: [GridSummary.Cell]) -> [Point] {
        cells.filter { $0.method == method && $0.keep != nil }.sorted { $0.flopsShare < $1.flopsShare }.map { cell in
            let y = frame.down(cell.score ?? 0), ends = AccuracyPlot.interval(cell).map(frame.down)
            return Point(
                cell: cell, x: frame.across(cell.flopsShare * 100), y: y, high: ends.min() ?? y, low: ends.max() ?? y)
        }
    }

    private static func line(_ points: [Point], _ stroke: String) -> String {
        let path = points.map { "\($0.x),\($0.y)" }.joined(separator: " ")
        return "<polyline points=\"\(path)\" fill=\"none\" \(stroke)/>"
    }

    private func bar(_ point: Point) -> String {
        let (left, right) = (point.x - 4, point.x + 4)
        let name = "\(method), \(point.cell.keep ?? 0) tokens: \(Self.number(point.cell.score ?? 0))"
        return
            "<path d=\"M\(point.x) \(point.high)V\(point.low)M\(left) \(point.high)H\(right)M\(left) \(point.low)H\(right)\" "
            + "stroke=\"\(colour)\" stroke-width=\"1.5\"/>"
            + "<circle cx=\"\(point.x)\" cy=\"\(point.y)\" r=\"3.5\" fill=\"\(colour)\" stroke=\"white\"><title>"
            + SVGText.escaped(name) + "</title></circle>"
    }

    private var axes: String {
        let columns = frame.columns.map { mark in
            let at = frame.across(mark)
            return "<line x1=\"\(at)\" x2=\"\(at)\" y1=\"\(frame.top)\" y2=\"\(frame.bottom)\" stroke=\"#eee\"/>"
                + SVGText(at, frame.bottom + 14, Self.number(mark, 0), size: 10, colour: "#555", anchor: "middle").svg
        }
        let rows = frame.rows.map { mark in
            let at = frame.down(mark)
            return "<line x1=\"\(frame.left)\" x2=\"\(frame.right)\" y1=\"\(at)\" y2=\"\(at)\" stroke=\"#eee\"/>"
                + SVGText(frame.left - 6, at + 4, Self.number(mark, 0), size: 10, colour: "#555", anchor: "end").svg
        }
        return (columns + rows).joined(separator: "\n")
    }

    private static func number(_ value: Double, _ digits: Int = 1) -> String {
        // Zero has no sign.
        String(format: "%.\(digits)f", value == 0 ? 0 : value)
    }
}
