import ArgumentParser
import Foundation
import JobModel
import WireProtocol

/// `winnow submit`: hands a batch to a coordinator.
struct SubmitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "submit", abstract: "Hand a batch to a running coordinator and print its id.",
        discussion: """
            A batch that the coordinator already has is resumed: items are recognised by their id, those that it lacks are \
            added, cancelled ones run again, and the rest keep what they have. It is refused if model or parameters \
            differ, or where its results folder belongs to another batch.

            """ + BatchSource.discussion)

    @OptionGroup var source: BatchSource

    @Option(help: "The batch's name; default: the batch file's, or that of the items.")
    var name: String?

    @Flag(
        name: .customLong("new"),
        help: "Make a new batch, with a number, if there is one of that name or its results folder is taken.")
    var isNew = false

    @Flag(help: "Resume although model, parameters or items differ; what has not run yet takes the new ones.")
    var force = false

    @Flag(
        help: """
            Take paths of the model and of pictures that are not on this machine as they stand: workers have to find them there.
            """)
    var trustPaths = false

    @Flag(help: "Wait until the batch is over; the exit code says how it ended.")
    var wait = false

    @Flag(help: "Wait, and show progress on standard error.")
    var progress = false

    @OptionGroup(title: "Queue options") var queue: QueueArguments

    @OptionGroup var client: ClientOptions

    func validate() throws {
        guard !isNew || !force else { throw ValidationError("--new and --force exclude each other") }
    }

    func run() throws {
        var file = try source.load(named: name, trustsPaths: trustPaths)
        file.description.queue = queue.applied(to: file.description.queue)
        file.description.name = name ?? file.description.name
        let isHere = BatchPreflight.hasModel(file.description)
        let warning = isHere ? try BatchPreflight.warningAboutModel(of: file.description) : nil
        let coordinator = try client.coordinator()
        let size = isHere ? try StoredSize(file).text : nil
        let submitted = try coordinator.submit(file, fresh: isNew, force: force)
        if let warning { printError("warning: \(warning)") }
        if let size, submitted.added > 0 { printError(size) }
        if submitted.resumed, !isSameFolder(submitted.results, file.description.results) {
            printError(
                "warning: a batch keeps its results folder, \(submitted.results); --new makes a batch of its own in "
                    + file.description.results)
        }
        if submitted.resumed, submitted.added + submitted.revived == 0,
            try coordinator.status(submitted.batch, batchesOnly: true).batches.first?.isOver == true
        {
            printError(
                "nothing is left to run of \(submitted.batch): 'winnow retry' runs some of its jobs again, --new makes a batch of "
                    + "its own")
        }
        guard wait || progress else { return try show(submitted, nil) }
        let shows = progress || client.output == .table
        let status = try coordinator.waitForEnd(of: submitted.batch, showingProgress: shows)
        try show(submitted, BatchReport(status))
        try endCommand(status.exitCode)
    }

    /// Whether two paths lead to one folder, whether it is there or not.
    private func isSameFolder(_ one: String, _ other: String) -> Bool {
        func resolved(_ path: String) -> String { URL(fileURLWithPath: path).resolvingSymlinksInPath().path }
        return resolved(one) == resolved(other)
    }

    private func show(_ submitted: Submission, _ end: BatchReport?) throws {
        struct Report: Encodable {
            let batch: String
            let items, added, known, revived: UInt64
            let resumed: Bool
            let results: String
            let end: BatchReport?
        }
        let report = Report(
            batch: submitted.batch, items: submitted.total, added: submitted.added, known: submitted.known,
            revived: submitted.revived, resumed: submitted.resumed, results: submitted.results, end: end)
        let news =
            submitted.resumed
            ? "\(submitted.batch): resumed, \(counted(submitted.added, "item")) added to \(submitted.total - submitted.added)"
                + (submitted.revived > 0 ? ", \(submitted.revived) cancelled ones wait again" : "")
            : "\(submitted.batch): \(counted(submitted.total, "item"))"
        let table = end.map { "\n" + BatchReport.table([$0]) } ?? ""
        try client.output.show(
            report, table: "\(news), results in \(submitted.results)" + table, quiet: submitted.batch)
    }
}
