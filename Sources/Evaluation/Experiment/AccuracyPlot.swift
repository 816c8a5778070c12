import Foundation

/// Score over counted operations as an SVG picture: a panel for each method on scales of its own, with its budgets as points and
/// their intervals.
public struct AccuracyPlot {
    private let summary: GridSummary
    private let title: String
    private let scored: [GridSummary.Cell]
    private let methods: [String]

    private let width = 920.0, margin = 20.0, gap = 16.0, head = 78.0
    private var columns: Int { [0: 1, 1: 1, 2: 2, 3: 2, 4: 2][methods.count] ?? (methods.count <= 9 ? 3 : 4) }
    private var panel: (width: Double, height: Double) {
        let across = (width - 2 * margin - gap * Double(columns - 1)) / Double(columns)
        return (across, max(190, (across * 0.62).rounded()))
    }
    private var height: Double {
        let rows = max(1, (methods.count + columns - 1) / columns)
        return head + Double(rows) * (panel.height + gap) + 24
    }

    /// A plot of the cells that have a score.
    public init(_ summary: GridSummary, title: String) {
        self.summary = summary
        self.title = title
        scored = summary.cells.filter { $0.score != nil }
        var methods: [String] = []
        for cell in scored where cell.keep != nil && !methods.contains(cell.method) { methods.append(cell.method) }
        self.methods = methods
    }

    /// The plot as an SVG document.
    public var svg: String {
        let baseline = scored.first { $0.keep == nil }?.score
        let panels = methods.enumerated().map { number, method in
            let left = margin + Double(number % columns) * (panel.width + gap)
            let top = head + Double(number / columns) * (panel.height + gap)
            return AccuracyPanel(
                frame: PlotFrame(
                    left: left + 34, right: left + panel.width - 6, top: top + 22, bottom: top + panel.height - 20,
                    around: scored.filter { $0.method == method && $0.keep != nil }, baseline: baseline),
                method: method, baseline: baseline, colour: colour(of: method)
            ).svg(scored)
        }
        let start =
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"\(width)\" height=\"\(height)\" viewBox=\"0 0 \(width) \(height)\" "
            + "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" fill=\"white\"/>"
        let captions = [
            "Across: operations of a question in % of none, counted. Up: \(summary.measure). Numbers at points: visual tokens kept.",
            "Bars: 95 % interval of the difference to none, the dashed line. Each panel has scales of its own.",
        ]
        return
            ([
                start, SVGText(margin, 26, title, size: 15, weight: "bold").svg,
            ] + captions.enumerated().map { SVGText(margin, 46 + 16 * Double($0), $1, colour: "#555").svg } + panels)
            .joined(separator: "\n") + "\n</svg>\n"
    }

    /// The ends of the interval around a cell's score; none for the baseline, from which the differences are counted.
    static func interval(_ cell: GridSummary.Cell) -> [Double] {
        guard let difference = cell.difference, let score = cell.score else { return [] }
        return [score - difference.value + difference.low, score - difference.value + difference.high]
    }

    /// The colour of a method: the report about the same folder, whose methods are in the order of their names, has the same.
    private func colour(of method: String) -> String {
        let place = methods.sorted().firstIndex(of: method) ?? 0
        return Self.colours[place % Self.colours.count]
    }
    private static let colours = [
        "#2f62c9", "#d67a1c", "#188f81", "#8a52c7", "#c23b66", "#6d7f14", "#4a90a8", "#86624a",
    ]
}
