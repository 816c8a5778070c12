import ArgumentParser
import WireProtocol

/// `winnow pause`: holds jobs back.
struct PauseCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "pause", abstract: "Hold back the waiting jobs of a batch; running jobs finish.")

    @Argument(help: "The batch id; default: every batch.")
    var batch: String = ""

    @OptionGroup var client: ClientOptions

    func run() throws {
        let batches = try client.coordinator().pause(batch, resume: false)
        try client.output.show(
            ["paused": batches], table: "paused: \(batches.isEmpty ? "nothing" : batches.joined(separator: ", "))",
            quiet: batches.joined(separator: "\n"))
    }
}

/// `winnow resume`: lets jobs go again.
struct ResumeCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "resume", abstract: "Let the jobs of a paused batch run again.")

    @Argument(help: "The batch id; default: every batch.")
    var batch: String = ""

    @OptionGroup var client: ClientOptions

    func run() throws {
        let batches = try client.coordinator().pause(batch, resume: true)
        try client.output.show(
            ["resumed": batches], table: "resumed: \(batches.isEmpty ? "nothing" : batches.joined(separator: ", "))",
            quiet: batches.joined(separator: "\n"))
    }
}

/// `winnow retry`: runs jobs again that ended without success, or lets workers try again.
struct RetryCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "retry",
        abstract: "Run jobs again that failed or were cancelled, or let workers try again what they could not run.",
        usage: """
            winnow retry <batch> (<item> ... | --failed | --cancelled) [<options>]
            winnow retry --workers [<worker> ...] [<options>]
            """,
        discussion: """
            Jobs wait again, and their counts of failures restart. Workers that rest because everything failed on them, or that could \
            not load a model or find pictures or results, try again by themselves after 5 seconds, then at pauses that grow to 5 \
            minutes; with --workers they try at once.
            """)

    @Argument(help: "The batch id, and ids of items; with --workers, names of workers, or none for all of them.")
    var names: [String] = []

    @Flag(help: "All jobs that failed.")
    var failed = false

    @Flag(help: "All jobs that were cancelled.")
    var cancelled = false

    @Flag(help: "Workers that rest try again at once.")
    var workers = false

    @OptionGroup var client: ClientOptions

    func validate() throws {
        if workers {
            guard !failed, !cancelled else {
                throw ValidationError("--failed and --cancelled are about jobs, not --workers")
            }
            return
        }
        guard !names.isEmpty else { throw ValidationError("name a batch, or give --workers") }
        guard (names.count == 1) == (failed || cancelled) else {
            throw ValidationError("name items, or give --failed, --cancelled or both")
        }
    }

    func run() throws {
        let coordinator = try client.coordinator()
        if workers {
            let woken = try (names.isEmpty ? [""] : names).flatMap { try coordinator.wake($0) }
            return try client.output.show(
                ["woken": woken],
                table: woken.isEmpty ? "no worker rests" : "try again: \(woken.joined(separator: ", "))",
                quiet: woken.joined(separator: "\n"))
        }
        let retried = try coordinator.retry(
            names[0], items: Array(names.dropFirst()), failed: failed, cancelled: cancelled)
        try client.output.show(
            ["retried": retried], table: "\(counted(retried, "job waits", "jobs wait")) again",
            quiet: "\(retried)")
    }
}

/// `winnow drain`: ends workers without losing work.
struct DrainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "drain", abstract: "Let workers finish what they run, report it and end.")

    @Argument(help: "Names of workers.")
    var workers: [String] = []

    @Flag(help: "Every worker.")
    var all = false

    @OptionGroup var client: ClientOptions

    func validate() throws {
        guard workers.isEmpty == all else { throw ValidationError("name workers, or give --all") }
    }

    func run() throws {
        let coordinator = try client.coordinator()
        let names = try (all ? [""] : workers).flatMap { try coordinator.drain($0) }
        try client.output.show(
            ["draining": names], table: "draining: \(names.isEmpty ? "nothing" : names.joined(separator: ", "))",
            quiet: names.joined(separator: "\n"))
    }
}

/// `winnow workers`: who is there.
struct WorkersCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "workers", abstract: "List workers: what they do, or why they are idle.",
        discussion: """
            Of the jobs that a worker holds, as many as its capacity are in work; those ahead wait until one of them ends, and those \
            to write are answered and wait for their shard.
            """)

    @OptionGroup var client: ClientOptions

    func run() throws {
        let reports = try client.coordinator().status().workers.map(WorkerReport.init)
        try client.output.show(
            reports, table: WorkerReport.table(reports), quiet: reports.map(\.worker).joined(separator: "\n"))
    }
}

/// `winnow explain`: why a job is not running.
struct ExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Say why a job is not running, or what became of it.")

    @Argument(help: "The batch id.")
    var batch: String

    @Argument(help: "The item's id.")
    var item: String

    @OptionGroup var client: ClientOptions

    func run() throws {
        let report = ExplanationReport(item, try client.coordinator().explain(item, of: batch))
        try client.output.show(report, table: report.text, quiet: report.state)
    }
}
