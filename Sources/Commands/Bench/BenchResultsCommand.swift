import ArgumentParser
import Foundation

/// `winnow bench results`: how fast shards are written, beside a plain write of the same bytes.
struct BenchResultsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "results",
        abstract: "Time the writing of shards against plain writes, and what packing features saves.",
        discussion: """
            Shards of jobs with features as wide as LLaVA-1.5-7B's are sealed: built, hashed, written, synced and \
            published. In turn with that the same bytes are written to a file and synced, and written without syncing. \
            Then the features alone are stored in every layout that there is. What writing takes of a worker's time is \
            said for jobs of --job-seconds; two seconds are quicker than a processor answers one without reduction.
            """)

    @Option(help: "MiB of features in each shard.")
    var size = 64

    @Option(help: "Runs of each measurement; medians are printed, with the least and greatest.")
    var runs = 5

    @Option(help: "Seconds that a job of LLaVA-1.5-7B takes, for the share of them that writing takes.")
    var jobSeconds = 2.0

    @Option(help: "The folder to write in; its disk is measured.")
    var folder = FileManager.default.temporaryDirectory.path

    @Option(help: "How to print: table or json.")
    var output = OutputFormat.table

    func validate() throws {
        guard (1...1024).contains(size) else { throw ValidationError("--size must be from 1 to 1024") }
        guard runs >= 1 else { throw ValidationError("--runs must be at least 1") }
        guard jobSeconds > 0 else { throw ValidationError("--job-seconds must be more than 0") }
    }

    func run() throws {
        let place = URL(fileURLWithPath: folder).appendingPathComponent("winnow-bench-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: place) }
        let bench = ResultsBench(folder: place.path, bytes: size << 20)
        let report = ResultsReport(
            megabytes: Double(size << 20) / 1e6, runs: runs, jobSeconds: jobSeconds,
            sealing: try bench.sealing(runs: runs),
            layouts: try ResultsBench.Layout.allCases.map { try bench.layout($0, runs: runs) })
        switch output {
        case .json: try printJSON(report)
        case .table, .quiet: print(report.text())
        }
    }
}
