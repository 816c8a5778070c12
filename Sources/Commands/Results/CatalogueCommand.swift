import Analysis
import ArgumentParser
import ResultFiles

/// `winnow results catalogue`: makes the catalogue from the shards.
struct CatalogueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalogue", abstract: "Make catalogue.sqlite from the shards alone.",
        discussion: """
            Of several rows of one job the last attempt's counts, which is the committed one once a batch is over. While a \
            batch runs, 'winnow run' and every command that reads the catalogue add what is new, as the job store says.
            """)

    @OptionGroup var folder: FolderArgument

    @Option(help: "How to print what was done: table or json.")
    var output = OutputFormat.table

    func run() throws {
        let summary = try Catalogue.rebuild(folder.results)
        for reason in summary.unreadable { printError("winnow: left out: \(reason)") }
        switch output {
        case .json:
            struct Made: Encodable {
                let catalogue: String
                let shards, jobs: Int
                let unreadable: [String]
            }
            try printJSON(
                Made(
                    catalogue: "\(folder.results.path)/\(Catalogue.fileName)", shards: summary.shards,
                    jobs: summary.jobs, unreadable: summary.unreadable))
        case .table:
            print("\(folder.results.path)/\(Catalogue.fileName): \(summary.jobs) jobs in \(summary.shards) shards")
        case .quiet: print("\(folder.results.path)/\(Catalogue.fileName)")
        }
        if !summary.unreadable.isEmpty { throw CommandFailure("\(summary.unreadable.count) shards cannot be read") }
    }
}
