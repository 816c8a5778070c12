public import ArgumentParser
public import Evaluation
import Foundation

/// `winnow eval table`: our rows beside the published ones.
struct EvalTableCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "table", abstract: "Print what was measured here beside published results.",
        discussion: """
            Cells of ours without a measurement stay empty. Published rows say whether the authors measured them, copied \
            them, or whether another paper ran the method again. Retention is the mean score as a share of the mean of \
            the same benchmarks without reduction, in the same table; its interval is over samples of the pictures, where \
            scores were kept with their draws.
            """)

    @Option(help: "The model: 7b or 13b; default: both.")
    var model: ModelSize?

    @Option(help: "A folder in which to look for scores of 'eval run' and 'eval score'; may be repeated.")
    var scores: [String] = []

    @Option(help: "How to print: table or json.")
    var output = OutputFormat.table

    func run() throws {
        let measured = try scores.flatMap {
            try MeasuredScore.all(below: URL(fileURLWithPath: $0, isDirectory: true))
        }
        let tables = try (model.map { [$0] } ?? ModelSize.allCases).map { try ResultsTable($0, measured: measured) }
        switch output {
        case .json: try printJSON(tables.map { Report($0) })
        case .table, .quiet: print(tables.map { text($0) }.joined(separator: "\n\n"))
        }
    }

    private func text(_ table: ResultsTable) -> String {
        let columns = table.columns
        var text = TextTable(
            ["method", "numbers", "cost", "TFLOP as labelled", "counted"] + columns.map(\.rawValue)
                + ["retention", "95 % interval"],
            rightAligned: Set(3..<columns.count + 7))
        for row in table.published + table.ours {
            var cells = [row.method, row.source, row.label]
            cells.append(row.conventionTera.map { number($0, 2) } ?? "")
            cells.append(row.countedTera.map { number($0, 2) } ?? "")
            for column in columns { cells.append(row.values[column].map { number($0, 1) } ?? "") }
            cells.append(row.retention.map { number($0, 1) + " %" } ?? "")
            cells.append(
                row.retentionInterval.map { "\(number($0.lowerBound, 1)) … \(number($0.upperBound, 1))" } ?? "")
            text.add(cells)
        }
        return """
            \(table.size.configuration); costs of rows measured here are for \(table.size.textTokens) text tokens

            \(text.text())

            as labelled: prefill at the length that is left at the end, counted as in FiCoCo's tables; counted: operations \
            that run before the first token, vision tower included. own, copied, re-run: how a paper came by its numbers. SQA: \
            papers do not tell whether all questions or those with a picture; ours are SQA total and SQA-IMG, of which \
            the second counts for retention. Retention is empty where a paper's table has no row without reduction, as in \
            EADP's and the other re-runs: a share of somebody else's baseline would mean nothing.
            """
    }

    private func number(_ value: Double, _ digits: Int) -> String { String(format: "%.\(digits)f", value) }
}

extension ModelSize: ExpressibleByArgument {}

/// The table as JSON.
private struct Report: Encodable {
    struct Row: Encodable {
        let method, source, label: String
        let teraAsLabelled, teraCounted: Double?
        let values: [String: Double]
        let retention: Double?
        let retentionLow, retentionHigh: Double?
        let isMeasuredHere: Bool

        init(_ row: ResultsTable.Row, isMeasuredHere: Bool) {
            (method, source, label) = (row.method, row.source, row.label)
            (teraAsLabelled, teraCounted, retention) = (row.conventionTera, row.countedTera, row.retention)
            (retentionLow, retentionHigh) = (row.retentionInterval?.lowerBound, row.retentionInterval?.upperBound)
            values = Dictionary(row.values.map { ($0.key.rawValue, $0.value) }) { first, _ in first }
            self.isMeasuredHere = isMeasuredHere
        }
    }

    let model: String
    let textTokens: Int
    let rows: [Row]

    init(_ table: ResultsTable) {
        model = table.size.configuration
        textTokens = table.size.textTokens
        rows = table.published.map { Row($0, isMeasuredHere: false) } + table.ours.map { Row($0, isMeasuredHere: true) }
    }
}
