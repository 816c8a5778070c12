import Analysis
import ArgumentParser
import Foundation
import JobModel
import JobStore
import JobVocabulary
import ResultFiles

/// `winnow results`: queries, checks, merges, exports and draws results.
struct ResultsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "results", abstract: "Query, check, merge, export and look at the results of batches.",
        subcommands: [
            CatalogueCommand.self, QueryCommand.self, VerifyCommand.self, MergeCommand.self, ExportCommand.self,
            ShowCommand.self, ReaderCommand.self,
        ])
}

/// The job store that knows which job's result each row is.
struct StoreOption: ParsableArguments {
    @Option(help: "The job store of the batch's coordinator; default: jobs.sqlite in the folder, if it is there.")
    var store: String?

    /// What the store says about a folder; nil if there is no store.
    func results(of folder: ResultsFolder) throws -> StoredResults? {
        guard let url = url(for: folder) else { return nil }
        return try StoredResults(store: url, folder: folder.path, named: batch(of: folder))
    }

    /// The store's file; nil if none was named and none is in the folder.
    func url(for folder: ResultsFolder) -> URL? {
        if let store { return URL(fileURLWithPath: store) }
        let beside = URL(fileURLWithPath: folder.path).appendingPathComponent(ResultsLayout.jobStore)
        return FileManager.default.fileExists(atPath: beside.path) ? beside : nil
    }

    /// The name that the shards give their batch.
    private func batch(of folder: ResultsFolder) -> String? {
        for shard in (try? folder.shards()) ?? [] {
            if let reader = try? ShardReader("\(folder.path)/\(shard)", reading: .scalars), !reader.header.batch.isEmpty
            {
                return reader.header.batch
            }
        }
        return nil
    }
}

extension Catalogue.Summary {
    /// Says on standard error what could not be read, a line each.
    func printWhatIsLeftOut() {
        for reason in unreadable { printError("winnow: left out: \(reason.onOneLine)") }
    }
}

/// Results as an argument: by default those of the folder that the command is run in.
struct FolderArgument: ParsableArguments {
    @Argument(
        help: """
            The results folder, which holds batch.yaml and shards; or a batch file, or the name of a batch with results in \
            results/, which means the last of its runs.
            """)
    var folder = "."

    /// The results; says on standard error which ones, where the argument leaves that open.
    func results() throws -> ResultsFolder { try ResultsChoice.folder(folder) }
}

extension StoreOption {
    /// The catalogue of a folder, brought up to date.
    func catalogue(of folder: ResultsFolder) throws -> Catalogue {
        let catalogue = try Catalogue(folder) { try results(of: folder).map(CommittedRows.init) }
        catalogue.summary.printWhatIsLeftOut()
        return catalogue
    }
}
