import ArgumentParser
import TokenReduction

/// `winnow methods`: the catalogue as filter, correlate, compress.
struct MethodsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "methods", abstract: "List the reduction methods, their three stages and their options.")

    @Option(help: "How to print: table or json.")
    var output = OutputFormat.table

    func run() throws {
        let rows = try MethodCatalogue.table()
        switch output {
        case .json: try printJSON(rows.map(MethodReport.init))
        case .table:
            var table = TextTable(["method", "place", "filter", "correlate", "compress", "layers"])
            for row in rows {
                table.add([row.name, row.place, row.filter, row.correlate, row.compress, row.schedule])
            }
            print(table.text(width: .max))
            var options = TextTable(["method", "option", "default", "allowed"])
            var seen: Set<String> = []
            for row in rows where seen.insert(row.name).inserted {
                for option in row.options { options.add([row.name, option.name, option.standard, option.allowed]) }
            }
            print("\n" + options.text(width: .max))
        }
    }
}

/// One row of the catalogue as JSON.
private struct MethodReport: Encodable {
    let name, place, filter, correlate, compress, schedule, citation: String
    let options: [String: String]

    init(_ row: MethodRow) {
        name = row.name
        place = row.place
        filter = row.filter
        correlate = row.correlate
        compress = row.compress
        schedule = row.schedule
        citation = row.citation
        options = Dictionary(row.options.map { ($0.name, $0.standard) }) { first, _ in first }
    }
}
