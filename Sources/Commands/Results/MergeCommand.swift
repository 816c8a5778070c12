import Analysis
import ArgumentParser
import Foundation
import JobModel
import JobStore
import ResultFiles
import WireProtocol

/// `winnow results merge`: many shards become a few.
struct MergeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "merge", abstract: "Turn the shards of a finished batch into a few large ones.",
        discussion: """
            The visible rows stay the same. If it is killed, it goes on where it was when it is started again. A merged \
            shard says of each row where a worker first wrote it (/sources, jobs/source, jobs/source_row).
            """)

    @OptionGroup var place: FolderArgument
    @OptionGroup var store: StoreOption

    @Option(help: "About the size of a merged shard in MiB, up to 4096.")
    var size = 1024

    @Flag(help: "Without a job store: nothing writes to this folder any more.")
    var finished = false

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func validate() throws {
        guard (1...4096).contains(size) else { throw ValidationError("--size must be from 1 to 4096") }
    }

    func run() throws {
        let folder = try place.results()
        let results = try store.results(of: folder)
        if let results, !results.state.isFinal {
            throw CommandFailure(
                ExitCodes.usage, "batch \(results.batch) is \(results.state); merge when it is over ('winnow wait')")
        }
        guard results != nil || finished else {
            throw CommandFailure(
                ExitCodes.usage,
                "there is no job store beside the results that would say whether the batch is over: "
                    + "name it with --store, or say --finished")
        }
        let merging = Merging(
            folder, committed: results.map(CommittedRows.init), targetBytes: size << 20,
            host: ProcessInfo.processInfo.hostName, software: ProtocolVersion.software)
        // Merging removes the rows that do not count, so it must know them.
        if results == nil, let first = try merging.contestedJobs().first {
            throw CommandFailure(
                ExitCodes.usage,
                "there are several attempts at jobs, such as \(first), and only the job store knows which of them counts: "
                    + "name it with --store")
        }
        let summary = try merging.run()
        struct Report: Encodable {
            let shardsBefore, shardsAfter, rows: Int
            let written: [String]
        }
        let written = summary.written.map { "\(folder.path)/\($0)" }
        let head =
            "\(counted(summary.shardsBefore, "shard")) became \(summary.shardsAfter), with the same \(counted(summary.rows, "row"))"
        try output.show(
            Report(
                shardsBefore: summary.shardsBefore, shardsAfter: summary.shardsAfter, rows: summary.rows,
                written: written),
            table: ([head] + written.map { "  \($0)" }).joined(separator: "\n"),
            quiet: written.joined(separator: "\n"))
    }
}
