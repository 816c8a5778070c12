import AccessKeys
import ArgumentParser
import Coordinator
import Foundation
import JobModel
import Logging
import MachineLimits
import Worker

/// `winnow worker`: runs jobs.
struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Take jobs from a coordinator, run them and write result files.",
        discussion: """
            SIGTERM, SIGHUP, SIGUSR1, SIGUSR2 or Ctrl-C lets running jobs finish; a second signal hands them back. A batch \
            whose results cannot be written here waits, and is tried again from time to time.
            """)

    @Option(help: "Where the coordinator listens for workers.")
    var connect = CoordinatorConfiguration.defaultWorkerEndpoint

    @OptionGroup var access: KeyArguments

    @Option(
        help: "A name, the same after a restart; default: one from the host's name, kept in the state folder.")
    var name: String?

    @Option(help: "Compute threads; default: the processors that this process may use.")
    var threads = UsableProcessors.count()

    @Option(help: "Jobs answered at the same time.")
    var capacity = 8

    @Option(
        help: """
            Memory that the worker may use, such as 9GB; a model that does not fit is refused, and fewer jobs run at a time \
            if they would not fit. Default: what the machine, its control group or its Slurm job has left.
            """)
    var memory: ByteCount?

    @Option(help: "Most answers in one result file.")
    var sealRows = WorkerConfiguration.Sealing().rows

    @Option(help: "Most MiB of results that wait in memory before they are written.")
    var sealMib = WorkerConfiguration.Sealing().bytes >> 20

    @Option(help: "Most seconds that an answer waits before it is written.")
    var sealSeconds = WorkerConfiguration.Sealing().age / .seconds(1)

    @Option(help: ArgumentHelp("End after this long without a job, such as 5m.", valueName: "time"))
    var idleTimeout: TimeSpan?

    @Option(
        help: ArgumentHelp(
            """
            Take no more jobs after this time, such as 4h, and end when those that run are done; before, take none that the \
            batch's median says would run longer.
            """, valueName: "time"))
    var lifetime: TimeSpan?

    @Option(
        help: ArgumentHelp(
            "End with an error if no coordinator answers for this long, such as 10m.", valueName: "time"))
    var noCoordinatorTimeout: TimeSpan?

    @Option(
        help: ArgumentHelp(
            "When asked to end, hand back jobs that still run after this time, such as 25s.", valueName: "time"))
    var grace: TimeSpan?

    @Flag(help: "Load no model: end every job with a text made from its id and prompt. For trying the queue.")
    var null = false

    @Option(help: ArgumentHelp("Milliseconds that a job takes with --null.", visibility: .hidden))
    var nullMilliseconds = 0.0

    @Flag(help: ArgumentHelp("Report results without writing shards, with --null.", visibility: .hidden))
    var nullWithoutShards = false

    @Option(
        help: ArgumentHelp(
            "Where reports wait while the coordinator is away; by default a folder of the worker's own in the state folder.",
            valueName: "folder"), completion: .directory)
    var spool: String?

    @Flag(help: ArgumentHelp("End when standard input does: the sign of a parent that is gone.", visibility: .hidden))
    var untilInputEnds = false

    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        guard (1...1024).contains(threads) else { throw ValidationError("--threads must be from 1 to 1024") }
        guard (1...4096).contains(capacity) else { throw ValidationError("--capacity must be from 1 to 4096") }
        guard (1...1_000_000).contains(sealRows) else { throw ValidationError("--seal-rows must be from 1 to 1000000") }
        guard (0...3_600_000).contains(nullMilliseconds) else {
            throw ValidationError("--null-milliseconds must be from 0 to 3600000")
        }
        guard null || !nullWithoutShards else { throw ValidationError("--null-without-shards needs --null") }
        guard (1...4096).contains(sealMib) else { throw ValidationError("--seal-mib must be from 1 to 4096") }
        guard (0...3600).contains(sealSeconds) else { throw ValidationError("--seal-seconds must be from 0 to 3600") }
    }

    func run() throws {
        try OpenFiles.raiseLimit(needing: 48)
        let place = try WorkerPlace(name: name, spool: spool, state: StateFolder.url.appendingPathComponent("spool"))
        defer { withExtendedLifetime(place) {} }
        var configuration = WorkerConfiguration(endpoint: connect, name: WorkerName(place.name))
        configuration.security = try access.security(for: connect, as: .worker)
        configuration.spool = place.spool
        configuration.idleTimeout = idleTimeout?.duration
        configuration.lifetime = lifetime?.duration
        configuration.coordinatorTimeout = noCoordinatorTimeout?.duration
        configuration.grace = grace?.duration
        configuration.sealing.rows = sealRows
        configuration.sealing.bytes = sealMib << 20
        configuration.sealing.age = .seconds(sealSeconds)
        configuration.sealing.writesShards = !nullWithoutShards
        let (capacity, threads, memory) = (capacity, threads, memory?.bytes)
        configuration.resources = WorkerResources(
            threads: threads, memoryBytes: memory ?? (try? AvailableMemory.now().available))
        let pause = null ? Duration.milliseconds(nullMilliseconds) : nil
        let logger = logging.logger("winnow.worker")
        let service = try WorkerService(configuration, log: logger) {
            if let pause {
                NullRunner(capacity: capacity, pause: pause)
            } else {
                ModelRunner(capacity: capacity, threads: threads, memory: memory)
            }
        }
        // Batch systems announce the end of an allocation by signals of their users' choice.
        let signals = Signals([SIGINT, SIGTERM, SIGHUP, SIGUSR1, SIGUSR2]) { times, name in
            logger.notice("\(name): \(times == 1 ? "running jobs are finished first" : "jobs are handed back")")
            times == 1 ? service.drain() : service.stop()
        }
        // The parent is gone, so the process ends at once; what is not committed counts as not done.
        if untilInputEnds { StandardInput.whenItEnds { _exit(ExitCodes.infrastructure) } }
        try withExtendedLifetime(signals) { try service.run() }
    }
}
