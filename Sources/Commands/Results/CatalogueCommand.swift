import Analysis
import ArgumentParser
import JobVocabulary
import ResultFiles

/// `winnow results catalogue`: makes the catalogue from the shards.
struct CatalogueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "catalogue", abstract: "Make catalogue.sqlite from the shards.",
        discussion: """
            A job store says which rows count. Without one the last attempt at each job does, which may be one that was \
            never committed. While a batch runs, 'winnow run' and every command that reads the catalogue add what is new.
            """)

    @OptionGroup var place: FolderArgument
    @OptionGroup var store: StoreOption

    @Option(help: "How to print what was done: table or json.")
    var output = OutputFormat.table

    func run() throws {
        let folder = try place.results()
        let committed = try store.results(of: folder).map(CommittedRows.init)
        let summary = try Catalogue.rebuild(folder, committed: committed)
        summary.printWhatIsLeftOut()
        switch output {
        case .json:
            struct Made: Encodable {
                let catalogue: String
                let shards, jobs: Int
                let unreadable: [String]
            }
            try printJSON(
                Made(
                    catalogue: "\(folder.path)/\(ResultsLayout.catalogue)", shards: summary.shards,
                    jobs: summary.jobs, unreadable: summary.unreadable))
        case .table:
            print(
                "\(folder.path)/\(ResultsLayout.catalogue): \(counted(summary.jobs, "job")) in \(counted(summary.shards, "shard"))"
            )
        case .quiet: print("\(folder.path)/\(ResultsLayout.catalogue)")
        }
        if !summary.unreadable.isEmpty { throw CommandFailure("not everything can be read") }
    }
}
