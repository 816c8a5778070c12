import Analysis
import ArgumentParser
import Foundation
import ResultFiles

/// `winnow results query`: SQL over the scalars of all jobs.
struct QueryCommand: ParsableCommand {
    /// How rows are printed.
    enum Format: String, ExpressibleByArgument, CaseIterable {
        case table, json, csv
    }

    static let configuration = CommandConfiguration(
        commandName: "query", abstract: "Run a SELECT over the catalogue and print the rows.",
        discussion: """
            The tables are jobs (one row a job), shards (one row a file) and columns (what each column of jobs means). \
            Example: winnow results query 'SELECT method, COUNT(*), AVG(seconds_total) FROM jobs GROUP BY method' DIR
            """)

    @Argument(help: "The query, one SELECT of SQLite.")
    var sql: String

    @OptionGroup var place: FolderArgument
    @OptionGroup var store: StoreOption

    @Option(help: "How to print: table, json (a list of objects) or csv.")
    var output = Format.table

    func run() throws {
        let folder = try place.results()
        let result = try store.catalogue(of: folder).query(sql)
        switch output {
        case .csv: print(CSV.text(result), terminator: "")
        case .json: print(try JSONLines.array(result))
        case .table:
            let numbers = result.columns.indices.filter { column in
                !result.rows.isEmpty && result.rows.allSatisfy { $0[column]?.isNumber ?? true }
            }
            var table = TextTable(result.columns, rightAligned: Set(numbers))
            for row in result.rows { table.add(row.map { $0.map(Self.cell) ?? "" }) }
            print(table.text())
        }
    }

    /// Six digits, or as many as lie before the point, such as those of a time.
    private static func shown(_ value: Double) -> String {
        String(format: abs(value) >= 1e6 && abs(value) < 1e15 ? "%.3f" : "%.6g", value)
    }

    private static func cell(_ value: Scalar) -> String {
        switch value {
        case .integer(let value): "\(value)"
        case .real(let value): Self.shown(value)
        case .text(let value): value
        }
    }
}

extension Scalar {
    fileprivate var isNumber: Bool { if case .text = self { false } else { true } }
}
