import ArgumentParser
import WireProtocol

/// `winnow forget`: takes an ended batch out of the job store.
struct ForgetCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "forget", abstract: "Take batches that have ended out of the job store; results stay.",
        discussion: """
            The store's file becomes smaller within a minute or so. Results folders are not touched. A batch that has not ended \
            is refused: wait for its end or cancel it. The name can then be given to another batch, which needs a results \
            folder of its own.
            """)

    @Argument(help: "Batch ids.")
    var batches: [String]

    @OptionGroup var client: ClientOptions

    func run() throws {
        let coordinator = try client.coordinator()
        var seen: Set<String> = []
        let names = batches.filter { seen.insert($0).inserted }
        // All of them or none: one that cannot be forgotten is found before the first is.
        for name in names where try coordinator.status(name).batches.first?.isOver == false {
            throw CommandFailure(
                ExitCodes.usage, "batch '\(name)' has not ended, so none was forgotten: wait for its end or cancel it")
        }
        let forgotten = try names.map { batch in
            let (jobs, results) = try coordinator.forget(batch)
            return Report(batch: batch, jobs: jobs, results: results)
        }
        try client.output.show(
            forgotten,
            table: forgotten.map {
                "forgot \($0.batch) with \(counted($0.jobs, "job")); its results stay in \($0.results)"
            }
            .joined(separator: "\n"),
            quiet: forgotten.map(\.batch).joined(separator: "\n"))
    }

    private struct Report: Encodable {
        let batch: String
        let jobs: UInt64
        let results: String
    }
}
