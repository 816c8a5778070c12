import AccessKeys
import ArgumentParser
import Foundation
import JobModel
import WireProtocol

/// `winnow status`: how batches and workers do.
struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show batches and workers; with a batch and --items, its items.",
        discussion: """
            Jobs that are handed out are with a worker: in work, or sent ahead so that no place waits for the next. Jobs to write are \
            answered, and count when their shard is sealed.
            """)

    @Argument(help: "A batch id; default: all batches.")
    var batch: String = ""

    @Option(name: .customLong("label"), help: ArgumentHelp("Only batches with this label.", valueName: "key=value"))
    var labels: [String] = []

    @Flag(help: "List the items of the batch as well.")
    var items = false

    @Flag(help: "List the attempts that take far longer than the median.")
    var stragglers = false

    @OptionGroup var client: ClientOptions

    func validate() throws {
        guard !items && !stragglers || !batch.isEmpty else {
            throw ValidationError("--items and --stragglers need a batch id")
        }
    }

    func run() throws {
        let coordinator = try client.coordinator()
        let answer = try coordinator.status(batch)
        let wanted = QueueArguments.pairs(labels)
        let batches = answer.batches.filter { batch in wanted.allSatisfy { batch.labels[$0.key] == $0.value } }
            .map(BatchReport.init)
        let workers = answer.workers.map(WorkerReport.init)
        var listed: [ItemReport] = []
        if items { try coordinator.forEachItem(of: batch) { listed.append(ItemReport($0)) } }
        let slow = stragglers ? try coordinator.stragglers(of: batch) : nil
        struct Status: Encodable {
            let batches: [BatchReport]
            let workers: [WorkerReport]
            let items: [ItemReport]?
            let stragglers: StragglersReport?
        }
        var tables = [BatchReport.table(batches)]
        tables += BatchReport.notes(batches)
        if !workers.isEmpty { tables.append("\n" + WorkerReport.table(workers)) }
        if items { tables.append("\n" + ItemReport.table(listed)) }
        if let slow { tables.append("\n" + slow.table()) }
        try client.output.show(
            Status(batches: batches, workers: workers, items: items ? listed : nil, stragglers: slow),
            table: tables.joined(separator: "\n"),
            quiet: batches.map { "\($0.batch) \($0.state)" }.joined(separator: "\n"))
    }
}

/// `winnow wait`: until batches are over.
struct WaitCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "wait", abstract: "Wait until a batch is over; the exit code says how it ended.")

    @Argument(help: "The batch id.")
    var batch: String

    @OptionGroup var client: ClientOptions

    func run() throws {
        let coordinator = try client.coordinator()
        let status = try coordinator.waitForEnd(of: batch, showingProgress: client.output == .table)
        let report = BatchReport(status)
        try client.output.show(report, table: BatchReport.table([report]), quiet: report.state)
        try endCommand(status.exitCode)
    }
}

/// `winnow watch`: how batches go on, drawn again every second.
struct WatchCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "watch", abstract: "Show batches and workers as they change, until the batch is over or Ctrl-C.",
        discussion: """
            On a terminal, a bar for each batch, and the workers; in a log, a line for each batch every 5 seconds if something has \
            moved, and every minute if nothing has. With --output json or quiet, nothing is shown before the end.
            """)

    @Argument(help: "A batch id; default: all batches that are not over.")
    var batch: String = ""

    @Option(help: "Seconds between two updates.")
    var every = 1.0

    @OptionGroup var client: ClientOptions

    func validate() throws {
        guard (0.1...3600).contains(every) else { throw ValidationError("--every must be from 0.1 to 3600") }
    }

    func run() throws {
        let coordinator = try client.coordinator()
        let isTerminal = isatty(STDOUT_FILENO) == 1
        var screen = WatchScreen()
        while true {
            let answer = try coordinator.patientStatus(batch)
            let open = answer.batches.filter { !$0.isOver }
            let isOver = open.isEmpty
            if client.output == .table {
                let shown = batch.isEmpty ? screen.withEnded(answer.batches) : answer.batches
                if isTerminal { screen.draw(shown, answer.workers) } else { screen.log(shown, answer.present) }
            } else if isOver {
                try client.output.show(
                    answer.batches.map(BatchReport.init), table: "",
                    quiet: answer.batches.map { "\($0.batch) \($0.state)" }.joined(separator: "\n"))
            }
            if isOver {
                if !batch.isEmpty, let status = answer.batches.first { try endCommand(status.exitCode) }
                return
            }
            // Nobody reads on.
            guard !isReaderGone(STDOUT_FILENO) else { return }
            Thread.sleep(forTimeInterval: every)
        }
    }
}

/// What `winnow watch` shows of several batches.
private struct WatchScreen {
    private var paces: [String: BatchPace] = [:]
    private var logs: [String: ProgressLog] = [:]

    private static let nothing = "no batch runs; 'winnow status' lists all"

    /// The batches that are not over, and those that have ended since one looked first.
    func withEnded(_ batches: [WireBatchStatus]) -> [WireBatchStatus] {
        batches.filter { !$0.isOver || paces[$0.batch] != nil }
    }

    private mutating func line(_ batch: WireBatchStatus, _ workers: Int) -> ProgressLine {
        paces[batch.batch, default: BatchPace()].line(batch, workers: workers)
    }

    /// Draws anew what the terminal shows.
    mutating func draw(_ batches: [WireBatchStatus], _ workers: [WireWorkerStatus]) {
        let width = (terminalWidth() ?? 80) - 1, present = workers.count { $0.state != "lost" }
        var lines = batches.isEmpty ? [Self.nothing] : []
        for batch in batches {
            lines += [shortened(BatchReport(batch).title, to: width), line(batch, present).bar(width: width)]
        }
        lines += BatchReport.notes(batches.map(BatchReport.init))
        lines += ["", WorkerReport.table(workers.map(WorkerReport.init))]
        var shown = lines.joined(separator: "\n").shown.split(separator: "\n", omittingEmptySubsequences: false)
        // What stands first matters most, and must not scroll away.
        if let height = terminalHeight(), shown.count >= height { shown = shown.prefix(max(1, height - 2)) + ["…"] }
        // Home, and clear what is below: no flicker, and nothing of the last picture stays.
        print("\u{1B}[H\u{1B}[J" + shown.joined(separator: "\n"))
        fflush(nil)
    }

    /// Writes the lines that a log needs.
    mutating func log(_ batches: [WireBatchStatus], _ workers: UInt32) {
        if batches.isEmpty { print(Self.nothing) }
        for batch in batches {
            let line = line(batch, Int(workers))
            guard logs[batch.batch, default: ProgressLog()].takes(line) else { continue }
            print("\(BatchReport(batch).title): \(line.plain)".shown)
            for note in BatchReport.notes([BatchReport(batch)]) { print(note.shown) }
        }
        fflush(nil)
    }
}

/// `winnow cancel`: stops what has not run yet.
struct CancelCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cancel", abstract: "Cancel the jobs of a batch that have not ended.",
        discussion: "Answers that are still to be written are cancelled too.")

    @Argument(help: "The batch id.")
    var batch: String

    @Option(help: "The reason, which is recorded.")
    var reason = ""

    @OptionGroup var client: ClientOptions

    func run() throws {
        let cancelled = try client.coordinator().cancel(batch, reason: reason)
        try client.output.show(
            ["cancelled": cancelled], table: "\(counted(cancelled, "job")) cancelled", quiet: "\(cancelled)")
    }
}

/// `winnow jobs`: the jobs of a batch.
struct JobsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "jobs", abstract: "List the jobs of a batch, of some state or with some label.")

    @Argument(help: "The batch id.")
    var batch: String

    @Option(
        name: .customLong("state"), help: "Only jobs in this state: waiting, running, succeeded, failed or cancelled.")
    var states: [String] = []

    @Option(name: .customLong("label"), help: ArgumentHelp("Only items with this label.", valueName: "key=value"))
    var labels: [String] = []

    @Option(help: "Most jobs to list.")
    var limit = 1000

    @OptionGroup var client: ClientOptions

    func validate() throws {
        guard (1..<Int.max).contains(limit) else { throw ValidationError("--limit must be at least 1") }
    }

    func run() throws {
        var listed: [ItemReport] = []
        // One more than wanted tells whether there are more.
        try client.coordinator().forEachItem(
            of: batch, states: states, labels: QueueArguments.pairs(labels), limit: limit + 1
        ) { listed.append(ItemReport($0)) }
        if listed.count > limit {
            listed.removeLast()
            printError("only the first \(limit) are listed; --limit lists more")
        }
        try client.output.show(
            listed, table: ItemReport.table(listed), quiet: listed.map(\.item).joined(separator: "\n"))
    }
}
