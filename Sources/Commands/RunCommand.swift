import Analysis
import ArgumentParser
import Foundation
import Glibc
import JobModel
import MachineLimits
import WireProtocol

/// `winnow run`: a whole batch on this machine.
struct RunCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Run a batch here: start a coordinator and workers, then print the answers.",
        discussion: BatchSource.discussion)

    @OptionGroup var source: BatchSource

    @Option(help: "Worker processes; default: the batch file's number.")
    var workers: Int?

    @Option(help: "Compute threads of each worker.")
    var threads: Int?

    @Option(help: "Memory that all workers together may use, such as 16GB; default: what this machine has left.")
    var memory: ByteCount?

    @Flag(
        help: """
            Go on with the last run of this batch, which was interrupted, killed or out of space, where it was; what failed is \
            tried again.
            """)
    var resume = false

    @Flag(
        name: .customLong("new"),
        help: "Start another run of a batch that has one: its results folder gets a number, such as demo-2.")
    var isNew = false

    @Flag(
        help: """
            With --resume, go on although model, parameters or items differ; what has not run yet takes the new ones.
            """)
    var force = false

    @Option(help: "Most rows to print in the table of answers.")
    var rows = 200

    @Option(help: "How to print the answers: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func validate() throws {
        guard workers.map({ (1...256).contains($0) }) ?? true else {
            throw ValidationError("--workers must be from 1 to 256")
        }
        guard threads.map({ (1...1024).contains($0) }) ?? true else {
            throw ValidationError("--threads must be from 1 to 1024")
        }
        guard !resume || !isNew else { throw ValidationError("--resume and --new exclude each other") }
        guard resume || !force else { throw ValidationError("--force goes with --resume") }
    }

    /// The batch with the results folder of this run: one that is its own, or that of the last run. Where there is one and
    /// nobody says which of the two is meant, asks on a terminal, and ends with exit code 2 elsewhere.
    private func settled(_ wanted: BatchFile) throws -> BatchFile {
        if resume { return try BatchPreflight.withLastResults(wanted) }
        let fresh = BatchPreflight.withFreshResults(wanted)
        let (results, free) = (wanted.description.results, fresh.description.results)
        guard results != free, !isNew else { return fresh }
        guard let last = try? BatchPreflight.withLastResults(wanted) else {
            throw CommandFailure(
                ExitCodes.usage, "\(results) holds something else: --new puts the results of this run into \(free)")
        }
        let there = "\(last.description.results) holds an earlier run"
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else {
            throw CommandFailure(
                ExitCodes.usage, "\(there): --resume goes on with it, --new starts another in \(free)")
        }
        printError("\(there). Type r to go on with it, n to start another in \(free), or anything else to stop.")
        switch readLine()?.lowercased() {
        case "r", "resume": return last
        case "n", "new": return fresh
        default: throw CommandFailure(ExitCodes.cancelled, "nothing was started")
        }
    }

    /// How long nothing may run because of the same trouble: workers try again after 5 and after 10 seconds.
    private static let patienceWithTrouble: Duration = .seconds(20)

    func run() throws {
        // Pipes of its processes, and those processes themselves, which inherit the limit.
        try OpenFiles.raiseLimit(needing: 256)
        var wanted = try source.load()
        let count = workers ?? wanted.description.run.workers
        wanted.description.run = .init(workers: count, threads: threads ?? wanted.description.run.threads)
        let threads = wanted.description.run.threads ?? max(1, UsableProcessors.count() / count)
        // Refused before anything is written or started.
        let share = try MemoryShare(wanted.description, workers: count, memory: memory?.bytes)
        let file = try settled(wanted)
        let cluster = try LocalCluster(
            folder: file.description.results, workers: count, threads: threads, memory: share.bytes)
        defer { cluster.end() }
        let interrupted = Interruption()
        var catalogue = RunningCatalogue(results: file.description.results)
        let coordinator = try CoordinatorClient(endpoint: cluster.endpoint, patience: .seconds(30)) {
            cluster.hasCoordinator && !interrupted.isAsked
        }
        var seen: WireBatchStatus?
        /// Throws if the run cannot or should not go on.
        func check() throws {
            if interrupted.isAsked {
                let done = seen.map { " after \($0.succeeded + $0.failed) of \(counted($0.total, "job"))" } ?? ""
                throw CommandFailure(
                    ExitCodes.cancelled,
                    "interrupted\(done); what is finished is in \(file.description.results), and --resume goes on with the rest"
                )
            }
            try cluster.check()
        }
        var troubledSince: ContinuousClock.Instant?
        var status: WireBatchStatus
        let start = ContinuousClock.now
        do {
            let submitted = try coordinator.submit(file, force: force)
            if submitted.resumed {
                _ = try coordinator.retry(submitted.batch, items: [], failed: true, cancelled: false)
            }
            let isOver = try coordinator.status(submitted.batch).batches.first?.isOver == true
            if isOver {
                printError(
                    "nothing was left to run: "
                        + (submitted.total == 1
                            ? "the job has its answer" : "all \(submitted.total) jobs have their answers")
                        + " in \(submitted.results)"
                        + (force ? ", so --force changes nothing" : "") + "; --new runs them again")
            } else {
                printError(try StoredSize(file).text)
                try cluster.startWorkers()
            }
            let shows = output != .quiet && !isOver
            status = try coordinator.waitForEnd(of: submitted.batch, showingProgress: shows) { status in
                seen = status
                try check()
                // All workers are alike here: what none of them can do for a while, none will. A disk that is full or away for
                // a moment may be back by then.
                troubledSince = status.trouble.isEmpty ? nil : troubledSince ?? .now
                if let since = troubledSince, .now - since > Self.patienceWithTrouble {
                    throw CommandFailure(
                        "the batch cannot go on: \(status.trouble). Finished jobs are in \(file.description.results), and "
                            + "--resume goes on with the rest")
                }
                catalogue.refreshNowAndThen()
            }
        } catch let error as CoordinatorClientError {
            try check()
            throw error
        }
        // Those of this run: the batch's own go on between two runs.
        status.elapsedSeconds = (ContinuousClock.now - start) / .seconds(1)
        let accuracy = catalogue.accuracy()
        let answers = try AnswerList(
            of: status, file: file, from: coordinator, limit: rows, accuracy: accuracy)
        switch output {
        case .table: answers.printTable(status)
        case .json: try answers.printJSON(status)
        case .quiet: print(status.results)
        }
        try endCommand(status.exitCode)
    }
}

/// Whether the user wants to stop.
private final class Interruption: @unchecked Sendable {
    private let lock = NSLock()
    private var asked = false
    private var signals: Signals?

    init() { signals = Signals { [unowned self] _, _ in lock.withLock { asked = true } } }

    var isAsked: Bool { lock.withLock { asked } }
}
