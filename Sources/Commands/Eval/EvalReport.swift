import Evaluation
import Foundation

/// What `winnow eval run` prints and leaves in its folder.
struct EvalReport {
    private let summary: GridSummary
    private let title: String

    init(_ summary: GridSummary, title: String) {
        self.summary = summary
        self.title = title
    }

    /// Writes `summary.json`, and `accuracy.svg` where there is a score.
    func write(to folder: URL) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
        encoder.keyEncodingStrategy = .convertToSnakeCase
        try encoder.encode(summary).write(to: folder.appendingPathComponent("summary.json"), options: .atomic)
        guard summary.cells.contains(where: { $0.score != nil }) else { return }
        let plot = AccuracyPlot(summary, title: title)
        try Data(plot.svg.utf8).write(to: folder.appendingPathComponent("accuracy.svg"), options: .atomic)
    }

    /// The cells, kinds of questions, and means over budgets as tables.
    func text() -> String {
        let scale = scale
        var cells = TextTable(
            [
                "method", "keep", "score", "to none", "95 % interval", "retention", "95 % interval", "delivered",
                scale.name + "FLOP", "of none",
                "to first token", "ms", "times as fast", "quartiles",
            ], rightAligned: Set(1...13))
        for cell in summary.cells {
            var row = [cell.method, cell.keep.map { "\($0)" } ?? "all", cell.score.map { number($0) } ?? "–"]
            row += [cell.difference.map { signed($0.value) } ?? "", interval(cell.difference)]
            row.append(cell.retention.map { number($0.value) + " %" } ?? "")
            row.append(cell.retention.map { $0.low < $0.high ? "\(number($0.low)) … \(number($0.high))" : "–" } ?? "")
            row.append(number(cell.delivered))
            row += [number(cell.flops / scale.unit, 2), number(100 * cell.flopsShare) + " %"]
            row += [
                number(cell.flopsToFirstToken / scale.unit, 2), cell.seconds > 0 ? number(1000 * cell.seconds) : "–",
            ]
            let quartiles = cell.speedUpQuartiles.map { number($0, 2) }.joined(separator: " … ")
            row += cell.keep == nil ? ["", ""] : [cell.speedUp.map { number($0, 2) } ?? "–", quartiles]
            cells.add(row)
        }
        let questions = summary.cells.first?.questions ?? 0
        let delivered =
            "delivered: visual tokens of a question that enter the language model, on average; methods that reduce inside it drop them "
            + "there"
        let parts = [
            "\(counted(questions, "question")); score: \(summary.measure)", cells.text(),
            delivered.wrapped(to: terminalWidth() ?? .max).joined(separator: "\n"),
            kinds(),
            averages(),
            comparisons(),
        ]
        return parts.filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    private func kinds() -> String {
        let kinds = summary.cells.first?.kinds.keys.sorted() ?? []
        guard kinds.count > 1, kinds.count <= 16 else { return "" }
        var table = TextTable(["method", "keep"] + kinds, rightAligned: Set(1...kinds.count + 1))
        for cell in summary.cells {
            var row = [cell.method, cell.keep.map { "\($0)" } ?? "all"]
            for kind in kinds { row.append(cell.kinds[kind].map { number($0) } ?? "") }
            table.add(row)
        }
        return table.text()
    }

    private func averages() -> String {
        guard !summary.averages.isEmpty, summary.averagedBudgets.count > 1 else { return "" }
        let budgets = summary.averagedBudgets.map { "\($0)" }.joined(separator: ", ")
        var table = TextTable(
            ["method, mean over \(budgets)", "score", "to none", "95 % interval"], rightAligned: [1, 2, 3])
        for average in summary.averages.sorted(by: { $0.score > $1.score }) {
            table.add([
                average.method, number(average.score, 2), signed(average.difference.value),
                interval(average.difference),
            ])
        }
        return table.text()
    }

    private func comparisons() -> String {
        var table = TextTable(
            ["method", "keep", "against", "difference", "95 % interval"], rightAligned: [1, 3, 4])
        func add(_ method: String, _ keep: String, _ comparisons: [GridSummary.Comparison]) {
            for comparison in comparisons {
                let difference = comparison.difference
                table.add([method, keep, comparison.against, signed(difference.value), interval(difference)])
            }
        }
        for cell in summary.cells { add(cell.method, cell.keep.map { "\($0)" } ?? "all", cell.comparisons) }
        for average in summary.averages { add(average.method, "mean", average.comparisons) }
        return summary.cells.allSatisfy(\.comparisons.isEmpty) ? "" : table.text()
    }

    private var scale: (name: String, unit: Double) {
        let largest = summary.cells.map(\.flops).max() ?? 0
        return largest >= 1e12 ? ("T", 1e12) : ("G", 1e9)
    }

    private func interval(_ interval: GridSummary.Interval?) -> String {
        // Pictures that all say the same, such as a single one, make no interval.
        interval.map { $0.low < $0.high ? "\(signed($0.low)) … \(signed($0.high))" : "–" } ?? ""
    }

    private func number(_ value: Double, _ digits: Int = 1) -> String { String(format: "%.\(digits)f", value) }

    private func signed(_ value: Double) -> String { String(format: "%+.1f", value) }
}
