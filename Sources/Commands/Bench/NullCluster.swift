import Foundation
import JobVocabulary
import WireProtocol

/// A coordinator and workers that run nothing, as processes; `winnow bench queue` measures the coordinator.
final class NullCluster {
    private let folder: URL
    private let listening: CoordinatorCommand.Listening
    private let shards: Bool
    let coordinator: ChildProcess
    let client: CoordinatorClient
    private var workers: [ChildProcess] = []

    /// Starts a coordinator over the store in `folder`, which may exist; where it listens unless told otherwise, the system
    /// chooses.
    ///
    /// - Parameter shards: whether workers write shards, which the coordinator then looks for.
    init(in folder: URL, workerEndpoint: String = "tcp://127.0.0.1:*", shards: Bool = false) throws {
        self.folder = folder
        self.shards = shards
        coordinator = try ChildProcess(
            "coordinator",
            [
                "coordinator", "--store", folder.appendingPathComponent(ResultsLayout.jobStore).path, "--workers",
                workerEndpoint, "--clients", "tcp://127.0.0.1:*", "--output", "json",
            ] + (shards ? [] : ["--unconfirmed"]), log: folder.appendingPathComponent("coordinator.log"),
            announces: true)
        guard let line = coordinator.firstLine(),
            let listening = try? JSONDecoder().decode(CoordinatorCommand.Listening.self, from: Data(line.utf8))
        else {
            throw CommandFailure("the coordinator did not start:\n\(coordinator.lastWords)")
        }
        self.listening = listening
        client = try CoordinatorClient(endpoint: listening.clients, patience: .seconds(120))
    }

    var clientEndpoint: String { listening.clients }
    var workerEndpoint: String { listening.workers }
    /// What the coordinator has used so far.
    func usage() throws -> ProcessUsage { try ProcessUsage(of: coordinator.id) }

    /// Starts workers that hold `capacity` jobs each, and waits until they are there.
    func startWorkers(_ count: Int, capacity: Int) throws {
        for number in 1...count {
            var arguments = [
                "worker", "--null", "--connect", listening.workers, "--name", "null-\(number)", "--threads", "1",
                "--capacity", "\(capacity)", "--spool", folder.appendingPathComponent("spool-\(number)").path,
            ]
            if !shards { arguments.append("--null-without-shards") }
            try start("worker \(number)", arguments)
        }
        try waitForWorkers(count)
    }

    /// Connects `count` workers that stay without work, and waits until they are there.
    func startIdleFleet(_ count: Int) throws {
        try startFleet(count, named: "idle", capacity: 1)
        try waitForWorkers(count)
    }

    /// Starts a process of `count` workers whose jobs take no time.
    ///
    /// - Parameters:
    ///   - name: What their names begin with.
    ///   - leaves: Workers a second that say goodbye and are replaced.
    ///   - losses: Workers a second that vanish and are replaced.
    func startFleet(_ count: Int, named name: String, capacity: Int, leaves: Double = 0, losses: Double = 0) throws {
        try start(
            "workers \(name)",
            [
                "bench", "fleet-workers", "--connect", listening.workers, "--count", "\(count)", "--capacity",
                "\(capacity)", "--name", name, "--leaves", "\(leaves)", "--losses", "\(losses)",
            ])
    }

    private func start(_ title: String, _ arguments: [String]) throws {
        let log = folder.appendingPathComponent(title.replacingOccurrences(of: " ", with: "-") + ".log")
        workers.append(try ChildProcess(title, arguments, log: log))
    }

    /// Waits until so many workers are there.
    func waitForWorkers(_ count: Int) throws {
        while try client.status().workers.count(where: { $0.state != "lost" }) < count {
            try check()
            Thread.sleep(forTimeInterval: 0.1)
        }
    }

    /// Throws if a process has ended.
    func check() throws {
        for process in [coordinator] + workers where !process.isRunning {
            throw CommandFailure("the \(process.title) ended unexpectedly:\n\(process.lastWords)")
        }
    }

    /// Ends all processes.
    func end() {
        ChildProcess.end(workers, patience: 10)
        ChildProcess.end([coordinator], patience: 10)
    }
}
