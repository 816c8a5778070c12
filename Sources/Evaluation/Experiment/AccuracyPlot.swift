import Foundation

/// Score over counted operations, one line a method, as an SVG picture.
public struct AccuracyPlot {
    private let summary: GridSummary
    private let title: String
    private let width = 920.0
    private let height = 560.0
    private let frame = (left: 70.0, right: 660.0, top: 50.0, bottom: 500.0)

    /// A plot of the cells that have a score.
    public init(_ summary: GridSummary, title: String) {
        self.summary = summary
        self.title = title
    }

    /// The picture.
    public var svg: String {
        let scored = summary.cells.filter { $0.score != nil }
        let scores: [Double] = scored.flatMap { cell in bars(cell) + [cell.score ?? 0] }
        let low = ((scores.min() ?? 0) / 10).rounded(.down) * 10, high = ((scores.max() ?? 100) / 10).rounded(.up) * 10
        let least = (scored.map(\.flopsShare).min() ?? 0) * 100
        let x = Axis(from: max((least / 10).rounded(.down) * 10, 0), to: 100, start: frame.left, end: frame.right)
        let y = Axis(from: low, to: max(high, low + 10), start: frame.bottom, end: frame.top)
        var parts = [head, grid(x, y)]
        if let baseline = scored.first, let score = baseline.score {
            let at = y.place(score)
            parts.append(
                "<line x1=\"\(frame.left)\" x2=\"\(frame.right)\" y1=\"\(at)\" y2=\"\(at)\" stroke=\"#444\" "
                    + "stroke-dasharray=\"5 4\"/>" + text(frame.left + 6, at - 6, "none, \(Self.number(score))", "#444")
            )
        }
        var methods: [String] = []
        for cell in scored where cell.keep != nil && !methods.contains(cell.method) { methods.append(cell.method) }
        for (number, method) in methods.enumerated() {
            let own = scored.filter { $0.method == method }.sorted { $0.flopsShare < $1.flopsShare }
            parts.append(line(own, style: Style(number, method), x, y))
            parts.append(legend(method, number: number, style: Style(number, method)))
        }
        return parts.joined(separator: "\n") + "\n</svg>\n"
    }

    private struct Axis {
        let low, high, start, end: Double

        /// Values from `low` to `high` lie between `start` and `end`, in pixels.
        init(from low: Double, to high: Double, start: Double, end: Double) {
            (self.low, self.high, self.start, self.end) = (low, high, start, end)
        }

        func place(_ value: Double) -> Double {
            ((start + (value - low) / (high - low) * (end - start)) * 10).rounded() / 10
        }
        var marks: [Double] { stride(from: low, through: high, by: 10).map { $0 } }
    }

    private struct Style {
        let colour: String
        let dashes: String
        let width: Double

        init(_ number: Int, _ method: String) {
            let colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#7f7f7f", "#8c564b"]
            colour = method.hasPrefix("ficoco") ? ["#b2182b", "#67001f", "#ef6548"][number % 3] : colours[number % 8]
            dashes = ["", "6 3", "2 3"][number / (method.hasPrefix("ficoco") ? 3 : 8) % 3]
            width = method.hasPrefix("ficoco") ? 3 : 1.5
        }

        var stroke: String {
            "fill=\"none\" stroke=\"\(colour)\" stroke-width=\"\(width)\""
                + (dashes.isEmpty ? "" : " stroke-dasharray=\"\(dashes)\"")
        }
    }

    private func bars(_ cell: GridSummary.Cell) -> [Double] {
        guard let difference = cell.difference, let score = cell.score else { return [] }
        return [score - difference.value + difference.low, score - difference.value + difference.high]
    }

    private var head: String {
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" viewBox=\"0 0 \(width) \(height)\" "
            + "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n"
            + text(frame.left, 28, title, "#000")
            + text(
                frame.left, height - 18,
                "operations of a question, % of none (counted); bars: 95 % interval of the difference to none", "#000")
            + "<text transform=\"translate(20 \(frame.bottom)) rotate(-90)\">\(Self.escaped(summary.measure))</text>"
    }

    private func grid(_ x: Axis, _ y: Axis) -> String {
        let columns = x.marks.map { mark in
            "<line x1=\"\(x.place(mark))\" x2=\"\(x.place(mark))\" y1=\"\(frame.top)\" y2=\"\(frame.bottom)\" stroke=\"#ddd\"/>"
                + text(x.place(mark) - 8, frame.bottom + 18, Self.number(mark, 0), "#000")
        }
        let rows = y.marks.map { mark in
            "<line x1=\"\(frame.left)\" x2=\"\(frame.right)\" y1=\"\(y.place(mark))\" y2=\"\(y.place(mark))\" stroke=\"#ddd\"/>"
                + text(frame.left - 30, y.place(mark) + 4, Self.number(mark, 0), "#000")
        }
        return (columns + rows).joined(separator: "\n")
    }

    private func line(_ cells: [GridSummary.Cell], style: Style, _ x: Axis, _ y: Axis) -> String {
        let points = cells.map { (x.place($0.flopsShare * 100), y.place($0.score ?? 0)) }
        let path = points.map { "\($0.0),\($0.1)" }.joined(separator: " ")
        let marks = zip(cells, points).map { cell, point in
            let ends = bars(cell).map { y.place($0) }
            let bar =
                ends.count == 2
                ? "<line x1=\"\(point.0)\" x2=\"\(point.0)\" y1=\"\(ends[0])\" y2=\"\(ends[1])\" stroke=\"\(style.colour)\" opacity=\"0.35\"/>"
                : ""
            return bar
                + "<circle cx=\"\(point.0)\" cy=\"\(point.1)\" r=\"3\" fill=\"\(style.colour)\"><title>"
                + Self.escaped("\(cell.method), \(cell.keep ?? 0) tokens: \(Self.number(cell.score ?? 0))")
                + "</title></circle>"
        }
        return "<polyline points=\"\(path)\" \(style.stroke)/>\n" + marks.joined(separator: "\n")
    }

    private func legend(_ method: String, number: Int, style: Style) -> String {
        let y = frame.top + 10 + Double(number) * 20
        return "<line x1=\"680\" x2=\"708\" y1=\"\(y)\" y2=\"\(y)\" \(style.stroke)/>"
            + text(716, y + 4, method, "#000")
    }

    private func text(_ x: Double, _ y: Double, _ text: String, _ colour: String) -> String {
        "<text x=\"\(x)\" y=\"\(y)\" fill=\"\(colour)\">\(Self.escaped(text))</text>"
    }

    private static func number(_ value: Double, _ digits: Int = 1) -> String { String(format: "%.\(digits)f", value) }

    private static func escaped(_ text: String) -> String {
        text.replacingOccurrences(of: "&", with: "&amp;").replacingOccurrences(of: "<", with: "&lt;")
    }
}
