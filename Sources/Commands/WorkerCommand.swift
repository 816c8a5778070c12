import ArgumentParser
import Coordinator
import Foundation
import JobModel
import Worker

/// `winnow worker`: runs jobs.
struct WorkerCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "worker", abstract: "Take jobs from a coordinator, run them and write result files.",
        discussion: "SIGTERM or Ctrl-C lets running jobs finish; a second one hands them back.")

    @Option(help: "Where the coordinator listens for workers.")
    var connect = CoordinatorConfiguration.defaultWorkerEndpoint

    @Option(help: "A name that stays the same after a restart; made up where it is left out.")
    var name = "\(ProcessInfo.processInfo.hostName)-\(UUID().uuidString.prefix(8).lowercased())"

    @Option(help: "Compute threads.")
    var threads = ProcessInfo.processInfo.activeProcessorCount

    @Option(help: "Jobs answered at the same time.")
    var capacity = 8

    @Option(help: "Most answers of one result file.")
    var sealRows = WorkerConfiguration.Sealing().rows

    @Option(help: "Most MiB of results that wait in memory before they are written.")
    var sealMib = WorkerConfiguration.Sealing().bytes >> 20

    @Option(help: "Most seconds that an answer waits before it is written.")
    var sealSeconds = WorkerConfiguration.Sealing().age / .seconds(1)

    @Flag(help: ArgumentHelp("End when standard input does: the sign of a parent that is gone.", visibility: .hidden))
    var untilInputEnds = false

    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        guard (1...1024).contains(threads) else { throw ValidationError("--threads must be from 1 to 1024") }
        guard (1...1024).contains(capacity) else { throw ValidationError("--capacity must be from 1 to 1024") }
        guard (1...1_000_000).contains(sealRows) else { throw ValidationError("--seal-rows must be from 1 to 1000000") }
        guard (1...4096).contains(sealMib) else { throw ValidationError("--seal-mib must be from 1 to 4096") }
        guard (0...3600).contains(sealSeconds) else { throw ValidationError("--seal-seconds must be from 0 to 3600") }
    }

    func run() throws {
        var configuration = WorkerConfiguration(endpoint: connect, name: WorkerName(name))
        configuration.sealing.rows = sealRows
        configuration.sealing.bytes = sealMib << 20
        configuration.sealing.age = .seconds(sealSeconds)
        let (capacity, threads) = (capacity, threads)
        let service = try WorkerService(configuration, log: logging.logger("winnow.worker")) {
            ModelRunner(capacity: capacity, threads: threads)
        }
        let signals = Signals { times in times == 1 ? service.drain() : service.stop() }
        // Nobody is left who would want what runs here; what is not committed counts as not done.
        if untilInputEnds { StandardInput.whenItEnds { _exit(ExitCodes.infrastructure) } }
        try withExtendedLifetime(signals) { try service.run() }
    }
}
