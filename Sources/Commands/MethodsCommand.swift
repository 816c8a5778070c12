import ArgumentParser
import JobVocabulary
import TokenReduction

/// `winnow methods`: the catalogue as filter, correlate, compress.
struct MethodsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "methods", abstract: "List the reduction methods, their three stages and their options.",
        subcommands: [ListMethodsCommand.self, ShowMethodCommand.self], defaultSubcommand: ListMethodsCommand.self)
}

/// `winnow methods list`: all of them.
struct ListMethodsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "List all methods; the default.")

    @Argument(help: "A method, to show that one alone as 'winnow methods show' does.")
    var name: String?

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func run() throws {
        let rows = try MethodCatalogue.table().filter { name == nil || $0.name == name }
        if let name, rows.isEmpty || output == .table { return try MethodDescription(name).show() }
        switch output {
        case .json: try printJSON(rows.map(MethodReport.init))
        case .quiet: for recipe in MethodCatalogue.all where name == nil || recipe.name == name { print(recipe.name) }
        case .table:
            var table = TextTable(["method", "place", "filter", "correlate", "compress", "layers"])
            for row in rows {
                table.add([row.name, row.place, row.filter, row.correlate, row.compress, row.schedule])
            }
            print(table.text())
            var options = TextTable(["method", "option", "default", "allowed"])
            var seen: Set<String> = []
            for row in rows where seen.insert(row.name).inserted {
                for option in row.options { options.add([row.name, option.name, option.standard, option.allowed]) }
            }
            print("\n" + options.text())
        }
    }
}

/// `winnow methods show NAME`: one of them, with everything that can be set.
struct ShowMethodCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "show", abstract: "Show one method: its paper, its stages and its options.")

    @Argument(help: "The method's name.")
    var name: String

    func run() throws { try MethodDescription(name).show() }
}

/// Everything about one method.
private struct MethodDescription {
    private static let label = 12
    private let method: ReductionMethod

    init(_ name: String) throws(ReductionError) { method = try MethodCatalogue.method(named: name) }

    func show() {
        printWrapped("\(method.name): \(method.citation)")
        for place in method.places {
            guard let stages = method.stages(in: place) else { continue }
            let rows = [
                ("place", place.rawValue), ("layers", stages.schedule.summary),
                ("moment", stages.schedule.moment.rawValue),
                ("filter", stages.filter.summary), ("correlate", stages.correlate.summary),
                ("compress", stages.compress.summary), ("order", stages.order.rawValue),
                ("attention", stages.proportionalAttention ? "counts sizes" : "as it is"),
                ("budget", method.budget.rawValue),
            ]
            let room = terminalWidth().map { $0 - Self.label } ?? .max
            let lines = rows.flatMap { name, text in
                text.wrapped(to: room).enumerated().map { ($0 == 0 ? "  \(name)" : "").padding(to: Self.label) + $1 }
            }
            print("\n" + lines.joined(separator: "\n"))
        }
        guard !method.options.isEmpty else { return }
        var table = TextTable(["option", "default", "allowed"])
        for option in method.options { table.add([option.name, option.standard, option.allowed]) }
        print("\n" + table.text())
    }
}

extension String {
    /// With spaces up to `width`.
    fileprivate func padding(to width: Int) -> String { self + String(repeating: " ", count: max(width - count, 0)) }
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
