import ArgumentParser
import Coordinator
import Foundation

/// `winnow coordinator`: keeps the jobs and hands them out.
struct CoordinatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coordinator", abstract: "Keep jobs, hand them to workers and record what became of them.")

    @Option(help: "The job store; made where it does not exist.")
    var store = "winnow.sqlite"

    @Option(help: "Where workers connect; port * lets the system choose.")
    var workers = CoordinatorConfiguration.defaultWorkerEndpoint

    @Option(help: "Where clients connect; port * lets the system choose.")
    var clients = CoordinatorConfiguration.defaultClientEndpoint

    @Option(help: "How to say where it listens: table or json.")
    var output = OutputFormat.table

    @OptionGroup var logging: LoggingOptions

    func run() throws {
        let configuration = CoordinatorConfiguration(
            store: URL(fileURLWithPath: store), workerEndpoint: workers, clientEndpoint: clients)
        let service = try CoordinatorService(configuration, logger: logging.logger("winnow.coordinator"))
        let signals = Signals { _ in service.stop() }
        try withExtendedLifetime(signals) {
            try service.run { endpoints in
                switch output {
                case .table: print("workers: \(endpoints.workers)\nclients: \(endpoints.clients)")
                case .json: try? printJSON(Listening(workers: endpoints.workers, clients: endpoints.clients))
                }
                fflush(nil)
            }
        }
    }

    /// Where a coordinator listens, as it says itself.
    struct Listening: Codable {
        let workers: String
        let clients: String
    }
}
