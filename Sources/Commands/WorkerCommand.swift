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

    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        guard (1...1024).contains(threads) else { throw ValidationError("--threads must be from 1 to 1024") }
        guard (1...1024).contains(capacity) else { throw ValidationError("--capacity must be from 1 to 1024") }
    }

    func run() throws {
        let configuration = WorkerConfiguration(endpoint: connect, name: WorkerName(name))
        let (capacity, threads) = (capacity, threads)
        let service = try WorkerService(configuration, log: logging.logger("winnow.worker")) {
            ModelRunner(capacity: capacity, threads: threads)
        }
        let signals = Signals { times in times == 1 ? service.drain() : service.stop() }
        try withExtendedLifetime(signals) { try service.run() }
    }
}
