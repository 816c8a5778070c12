import Allocation
import ArgumentParser
import Foundation

/// `winnow alloc list`: the queues.
struct ListQueuesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list",
        abstract: "List the queues, what they have, and why they ask for nothing where they do not.")

    @OptionGroup var place: QueueFolderOption

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func run() throws {
        let folder = place.folder
        var reports: [AllocationQueueReport] = [], isWhole = true
        for name in folder.names() {
            do throws(AllocationError) {
                // One may have been forgotten meanwhile.
                guard let queue = try folder.queue(name) else { continue }
                reports.append(AllocationQueueReport(queue, try folder.state(of: queue)))
            } catch {
                printError("winnow: \(error)")
                isWhole = false
            }
        }
        var table = TextTable(["queue", "in line", "running", "unclear", "standing"], rightAligned: [1, 2, 3])
        for report in reports {
            table.add([report.queue, "\(report.queued)", "\(report.running)", "\(report.unclear)", report.standing])
        }
        for orphan in folder.orphans() {
            if let words = orphan.wordsWithoutFile { printError("winnow: queue \(orphan.name): \(words)") }
        }
        try output.show(
            reports,
            table: reports.isEmpty && isWhole
                ? "there is no queue; 'winnow alloc add' adds one" : table.text() + ServingNote.text(folder),
            quiet: reports.map(\.queue).joined(separator: "\n"))
        if !isWhole { try endCommand(ExitCodes.infrastructure) }
    }
}

/// `winnow alloc info`: one queue in full.
struct QueueInfoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "info", abstract: "Show a queue: what it asks for, its allocations, and what it does and why.")

    @OptionGroup var queue: NamedQueue

    func run() throws {
        let settings = try queue.settings()
        let report = AllocationQueueReport(settings, try queue.place.folder.state(of: settings))
        try queue.output.show(
            report, table: report.text + ServingNote.text(queue.place.folder), quiet: report.standing)
    }
}

/// A queue as commands print it.
struct AllocationQueueReport: Encodable {
    struct Entry: Encodable {
        let allocation, state, reason: String
        let job: String?
        let finished: UInt64
        let submittedAt, startedAt, endedAt: Double?
    }

    let queue: String
    let settings: QueueSettings
    let isPaused: Bool
    let standing: String
    let failuresInRow: Int
    let queued, running: Int
    /// Those that the engine holds, or of which it says nothing that is known here.
    let unclear: Int
    let allocations: [Entry]

    init(_ settings: QueueSettings, _ state: QueueState) {
        queue = settings.name
        self.settings = settings
        isPaused = state.isPaused(settings)
        standing =
            settings.isRemoved
            ? "it is being removed; its allocations have yet to end"
            : settings.isPaused ? "it is paused by 'winnow alloc pause'" : state.standing
        failuresInRow = state.failuresInRow
        queued = state.live.count { $0.state == .queued || $0.state == .submitting }
        running = state.live.count { $0.state == .running }
        unclear = state.live.count - queued - running
        allocations = state.allocations.map {
            Entry(
                allocation: $0.name, state: $0.state.rawValue, reason: $0.end.map(\.description) ?? $0.reason,
                job: $0.job?.id, finished: $0.finished, submittedAt: $0.submittedAt.timeIntervalSince1970,
                startedAt: $0.startedAt?.timeIntervalSince1970, endedAt: $0.endedAt?.timeIntervalSince1970)
        }
    }

    var text: String {
        func time(_ seconds: Double) -> String { "\(Int(seconds)) s" }
        let lines = [
            "queue \(queue): \(standing)",
            "allocations of \(time(settings.timeLimit)) with \(counted(settings.workersPerAllocation, "worker")) of capacity \(settings.capacity), at most "
                + "\(settings.backlog) in line and \(settings.maxWorkers) workers",
            "workers connect to \(settings.endpoint), end after \(time(settings.idleTimeout)) without a job, "
                + "and finish \(time(settings.notice)) before the end",
            "sbatch \(settings.engineOptions.joined(separator: " "))",
        ]
        guard !allocations.isEmpty else { return lines.joined(separator: "\n") }
        var table = TextTable(["allocation", "job", "state", "jobs done", "why"], rightAligned: [1, 3])
        for entry in allocations {
            table.add([entry.allocation, entry.job ?? "", entry.state, "\(entry.finished)", entry.reason])
        }
        return lines.joined(separator: "\n") + "\n\n" + table.text()
    }
}
