import ArgumentParser
import Coordinator
import Foundation
import Logging
import Monitoring
import Scheduling
import ZeroMQ

/// `winnow coordinator`: keeps the jobs and hands them out.
struct CoordinatorCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "coordinator", abstract: "Keep jobs, hand them to workers and record their results.")

    @Option(help: "The job store; it is made if it does not exist.")
    var store = "winnow.sqlite"

    @Option(help: "Where workers connect; port * lets the system choose.")
    var workers = CoordinatorConfiguration.defaultWorkerEndpoint

    @Option(help: "Where clients connect; port * lets the system choose.")
    var clients = CoordinatorConfiguration.defaultClientEndpoint

    @OptionGroup var access: KeyFolderArguments

    @Option(
        help: ArgumentHelp(
            "Serve the status page, /metrics and /healthz at this address, such as 9090; a port alone means loopback.",
            discussion: "It is read-only and asks for no key: everybody who reaches the address can read it.")
    )
    var http: String?

    @Option(help: "Seconds between two heartbeats of a worker.")
    var heartbeat = 5.0

    @Option(help: "Heartbeats after which, when they are missed in a row, a worker counts as lost.")
    var missedHeartbeats = 3

    @Option(help: "Seconds that a job may go without progress before it is given to another worker.")
    var lease = 60.0

    @Flag(
        help: ArgumentHelp("Believe reports of shards that are not there, to measure the queue.", visibility: .hidden))
    var unconfirmed = false

    @Flag(help: ArgumentHelp("End when standard input does: the sign of a parent that is gone.", visibility: .hidden))
    var untilInputEnds = false

    @Option(help: "How to print where it listens: table, json (one value) or quiet.")
    var output = OutputFormat.table

    @OptionGroup var logging: LoggingOptions

    func validate() throws {
        guard http.map({ ListenAddress($0) != nil }) ?? true else {
            throw ValidationError("--http must be a port or an IP address with one, such as 9090 or 127.0.0.1:9090")
        }
        typealias Usual = CoordinatorConfiguration
        for (endpoint, port) in [(workers, Usual.defaultWorkerPort), (clients, Usual.defaultClientPort)] {
            if let flaw = EndpointReach.flaw(of: endpoint, port: port) { throw ValidationError(flaw) }
        }
        guard (0.01...3600).contains(heartbeat) else { throw ValidationError("--heartbeat must be from 0.01 to 3600") }
        guard (1...1000).contains(missedHeartbeats) else {
            throw ValidationError("--missed-heartbeats must be from 1 to 1000")
        }
        guard (0.1...86_400).contains(lease) else { throw ValidationError("--lease must be from 0.1 to 86400") }
        guard lease >= 3 * heartbeat else {
            throw ValidationError("--lease must be at least three heartbeats, \(3 * heartbeat): only they renew leases")
        }
    }

    func run() throws {
        try OpenFiles.raiseLimit(needing: 64)
        let times = SchedulerSettings(
            heartbeat: .seconds(heartbeat), missedHeartbeats: missedHeartbeats, lease: .seconds(lease))
        var configuration = CoordinatorConfiguration(
            store: URL(fileURLWithPath: store), workerEndpoint: workers, clientEndpoint: clients, scheduling: times)
        configuration.keys = access.folder
        // Keys that are named are needed on loopback as well.
        configuration.needsKeysOnLoopback = access.named != nil
        configuration.confirmsShards = !unconfirmed
        configuration.monitoring = http.flatMap(ListenAddress.init)
        let logger = logging.logger("winnow.coordinator")
        let service = try CoordinatorService(configuration, logger: logger)
        let signals = Signals([SIGINT, SIGTERM, SIGHUP]) { _, name in
            logger.notice("\(name): the coordinator ends; workers wait for the next one")
            service.stop()
        }
        if untilInputEnds { StandardInput.whenItEnds { service.stop() } }
        try withExtendedLifetime(signals) {
            try service.run { endpoints in
                switch output {
                case .table:
                    print("workers: \(endpoints.workers)\nclients: \(endpoints.clients)")
                    if let page = endpoints.monitoring { print("page: \(page)") }
                case .json:
                    try? printJSON(
                        Listening(workers: endpoints.workers, clients: endpoints.clients, http: endpoints.monitoring))
                case .quiet: break
                }
                fflush(nil)
            }
        }
    }

    /// The endpoints of a coordinator, as it prints them.
    struct Listening: Codable {
        let workers: String
        let clients: String
        let http: String?
    }
}
