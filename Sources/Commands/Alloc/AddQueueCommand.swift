import Allocation
import ArgumentParser
import Coordinator
import Foundation
import ZeroMQ

/// `winnow alloc add`: a queue of machines.
struct AddQueueCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Add a queue that gets machines from a batch engine.",
        usage: "winnow alloc add slurm [<options>] -- [<sbatch options>]",
        discussion: """
            Each allocation is a batch job that starts 'winnow worker'. It is asked for while jobs wait that could run within its \
            time, and ends when none has come for a while.

              winnow alloc add slurm --time-limit 4h --endpoint tcp://head:5757 -- --partition cpu --cpus-per-task 16 --mem 32G
            """)

    /// Most queues in one folder.
    private static let mostQueues = 100

    /// The batch engines that lend machines.
    enum Engine: String, CaseIterable, ExpressibleByArgument { case slurm }

    @Argument(help: "The batch engine: slurm.")
    var engine: Engine

    @Argument(
        parsing: .postTerminator,
        help: ArgumentHelp("Options of sbatch, such as --partition.", valueName: "sbatch options"))
    var engineOptions: [String] = []

    @Option(help: "The queue's name, part of the names of its jobs and workers.")
    var name = "slurm"

    @Option(help: ArgumentHelp("How long an allocation may run, such as 4h.", valueName: "time"))
    var timeLimit = TimeSpan(seconds: 3600)

    @Option(help: "Workers that an allocation starts.")
    var workersPerAllocation = 1

    @Option(help: "Most allocations that wait in Slurm's line.")
    var backlog = 2

    @Option(help: "Most workers at a time.")
    var maxWorkers = 64

    @Option(help: ArgumentHelp("A worker ends after this long without a job.", valueName: "time"))
    var idleTimeout = TimeSpan(seconds: 300)

    @Option(
        help: ArgumentHelp(
            """
            Workers are told this long before an allocation's end to finish, and hand back what still runs 10 seconds before \
            the end. Slurm may be a minute early. Default: a minute, or half of a shorter time limit.
            """, valueName: "time"))
    var notice: TimeSpan?

    /// How long before the end workers are told, in seconds.
    private var noticeSeconds: Double { notice?.seconds ?? min(60, timeLimit.seconds / 2) }

    @Option(help: "Where the workers reach the coordinator, as seen from their machines.")
    var endpoint = CoordinatorConfiguration.defaultWorkerEndpoint

    @Option(
        parsing: .unconditional,
        help: ArgumentHelp(
            "Further options of winnow worker, in one word: \"--memory 9GB --key /home/me/worker.key\".",
            valueName: "options"))
    var workerOptions = ""

    @Option(help: ArgumentHelp("The winnow that the workers' machines have; default: this one.", valueName: "path"))
    var program: String?

    @Flag(help: "Show the batch script and what Slurm says to it; add nothing.")
    var dryRun = false

    @Flag(help: "Add it although Slurm refuses such a job at present.")
    var force = false

    @OptionGroup var place: QueueFolderOption

    @Option(help: "How to print: table, json (one value) or quiet.")
    var output = OutputFormat.table

    func validate() throws {
        // The options of the workers are checked below, where their own complaint is said.
        if let flaw = settings(capacity: (try? worker().capacity) ?? 1).flaw { throw ValidationError(flaw) }
        if let flaw = EndpointReach.flaw(of: endpoint, port: CoordinatorConfiguration.defaultWorkerPort) {
            throw ValidationError(flaw)
        }
        guard endpoint.hasPrefix("tcp://") else {
            throw ValidationError("--endpoint must begin with tcp://, as in tcp://head:5757")
        }
        guard QueueSettings.isName(name) else {
            throw ValidationError("--name must be 1 to 32 letters, digits and hyphens")
        }
        for word in engineOptions {
            guard word.hasPrefix("-") else { continue }
            let option = word.split(separator: "=").first.map(String.init) ?? word
            // sbatch takes the beginning of an option for the whole.
            let own = Slurm.ownOptions.first { own in
                option.hasPrefix("--")
                    ? own.option == option || option.count > 3 && own.option.hasPrefix(option)
                    : !own.option.hasPrefix("--") && option.hasPrefix(own.option)
            }
            guard let own else { continue }
            let advice = own.instead.hasPrefix("--") ? "use \(own.instead) before the --" : "leave it out"
            throw ValidationError("\(own.option) is set by the queue; \(advice)")
        }
        // The value of an option stands behind it; another word would be a script that sbatch runs in place of ours.
        for (word, before) in zip(engineOptions, ["="] + engineOptions) where !word.hasPrefix("-") {
            guard before.hasPrefix("-"), !before.contains("=") else {
                throw ValidationError("'\(word)' is no option of sbatch; its script is made by the queue")
            }
        }
        let worker = try worker()
        guard workersPerAllocation == 1 || worker.null || worker.memory != nil else {
            throw ValidationError(
                "with --workers-per-allocation \(workersPerAllocation), --worker-options must give each worker its --memory"
            )
        }
    }

    /// The options of the workers, as `winnow worker` understands them.
    private func worker() throws -> WorkerCommand {
        let taken = [
            "--connect", "--name", "--spool", "--idle-timeout", "--lifetime", "--grace", "--no-coordinator-timeout",
        ]
        let words = workerWords
        if let word = words.first(where: { word in taken.contains { word == $0 || word.hasPrefix($0 + "=") } }) {
            throw ValidationError("\(word) is set by the queue; leave it out of --worker-options")
        }
        do {
            return try WorkerCommand.parse(words)
        } catch {
            throw ValidationError("--worker-options: \(WorkerCommand.message(for: error))")
        }
    }

    /// The words of the workers' options; a key's path is whole, since workers run in another folder.
    private var workerWords: [String] {
        var words = workerOptions.split(separator: " ").map(String.init)
        for index in words.indices.dropFirst() where words[index - 1] == "--key" {
            words[index] = URL(fileURLWithPath: words[index]).path
        }
        return words
    }

    /// What the options say, for workers of a capacity.
    private func settings(capacity: Int) -> QueueSettings {
        QueueSettings(
            name: name, token: RandomLetters.five(), timeLimit: timeLimit.seconds, notice: noticeSeconds,
            workersPerAllocation: workersPerAllocation, capacity: capacity, backlog: backlog, maxWorkers: maxWorkers,
            idleTimeout: idleTimeout.seconds, endpoint: endpoint, program: program ?? ChildProcess.thisProgram.path,
            workerOptions: workerWords, engineOptions: engineOptions)
    }

    func run() throws {
        let settings = settings(capacity: try worker().capacity)
        let refusal = try Slurm().refusal(settings, logs: place.folder.logs)
        if dryRun {
            let report = DryRun(
                script: BatchScript(settings, name: settings.name(of: 1)).text,
                sbatch: Slurm.options(settings, name: settings.name(of: 1), logs: place.folder.logs), refusal: refusal)
            if let refusal, output == .quiet { printError("winnow: Slurm would not take it: \(refusal)") }
            try output.show(report, table: report.text, quiet: report.script)
            return try endCommand(refusal == nil ? ExitCodes.success : ExitCodes.usage)
        }
        if let refusal, !force {
            throw CommandFailure(ExitCodes.usage, "Slurm would not take such a job, so no queue was added: \(refusal)")
        }
        guard place.folder.names().count < Self.mostQueues else {
            throw CommandFailure(ExitCodes.usage, "there are \(Self.mostQueues) queues, as many as one process serves")
        }
        guard try place.folder.queue(name) == nil else {
            throw CommandFailure(
                ExitCodes.usage,
                "there is a queue '\(name)'; give this one another --name, or remove that one with 'winnow alloc remove \(name)'"
            )
        }
        if let key = try worker().access.key, !FileManager.default.isReadableFile(atPath: key) {
            printError("winnow: the key cannot be read here, and must be readable where workers run: \(key)")
        }
        if EndpointReach.isLoopback(endpoint) {
            printError("winnow: \(endpoint) is reached from this machine alone; --endpoint names one that others reach")
        }
        try FileManager.default.createDirectory(atPath: place.folder.logs, withIntermediateDirectories: true)
        try place.folder.save(settings)
        try place.folder.note(Event(at: Date(), queue: name, text: "added"))
        try output.show(
            ["queue": name], table: "added queue \(name)\(ServingNote.text(place.folder))", quiet: name)
    }

    /// What a dry run shows.
    private struct DryRun: Encodable {
        let script: String
        let sbatch: [String]
        /// Why Slurm would not take it; nil if it would.
        let refusal: String?

        var text: String {
            "sbatch \(sbatch.joined(separator: " "))\n\n\(script)\n"
                + (refusal.map { "Slurm would not take it: \($0)" } ?? "Slurm would take it")
        }
    }
}
