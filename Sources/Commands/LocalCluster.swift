import Foundation
import JobModel
import JobVocabulary

/// One coordinator on this machine and, once there is something to run, its workers, each a process of its own.
final class LocalCluster {
    /// A worker that keeps dying is not started for ever.
    private static let restarts = 5
    /// Progress counts answers that wait to be written as heartbeats tell of them: every 2 seconds. A worker is not lost sooner for
    /// that.
    private static let heartbeats = ["--heartbeat", "2", "--missed-heartbeats", "8"]

    private let coordinator: ChildProcess
    private var workers: [ChildProcess] = []
    private let workerCount: Int
    private var restartsLeft: Int
    private let workerArguments: (Int) -> [String]
    private let logs: URL
    /// Where clients connect.
    let endpoint: String

    /// Starts the coordinator; job store and logs go into `folder`. Each worker may use `memory` bytes.
    init(folder: String, workers count: Int, threads: Int, memory: Int? = nil) throws {
        logs = URL(fileURLWithPath: "\(folder)/\(ResultsLayout.logs)")
        try FileManager.default.createDirectory(at: logs, withIntermediateDirectories: true)
        coordinator = try ChildProcess(
            "coordinator",
            [
                "coordinator", "--store", "\(folder)/\(ResultsLayout.jobStore)", "--workers", "tcp://127.0.0.1:*",
                "--clients",
                "tcp://127.0.0.1:*", "--output", "json",
            ] + Self.heartbeats, log: logs.appendingPathComponent("coordinator.log"), announces: true)
        guard let line = coordinator.firstLine(),
            let listening = try? JSONDecoder().decode(CoordinatorCommand.Listening.self, from: Data(line.utf8))
        else {
            throw CommandFailure("the coordinator did not start:\n\(coordinator.lastWords)")
        }
        endpoint = listening.clients
        workerCount = count
        restartsLeft = Self.restarts * count
        workerArguments = { number in
            [
                "worker", "--connect", listening.workers, "--name", "local-\(number)", "--threads", "\(threads)",
                "--spool", "\(folder)/\(ResultsLayout.spool)/local-\(number)",
            ] + (memory.map { ["--memory", "\($0)"] } ?? [])
        }
    }

    /// Starts the workers.
    func startWorkers() throws {
        for number in 1...workerCount { workers.append(try startWorker(number)) }
    }

    private func startWorker(_ number: Int) throws -> ChildProcess {
        try ChildProcess(
            "worker \(number)", workerArguments(number), log: logs.appendingPathComponent("worker-\(number).log"))
    }

    /// Whether the coordinator is there; without it nothing goes on.
    var hasCoordinator: Bool { coordinator.isRunning }

    /// Starts again what died; throws if the coordinator did, or workers die again and again.
    func check() throws {
        guard coordinator.isRunning else {
            throw CommandFailure("the coordinator ended unexpectedly:\n\(coordinator.lastWords)")
        }
        for (index, worker) in workers.enumerated() where !worker.isRunning {
            guard restartsLeft > 0 else {
                throw CommandFailure("workers end again and again; the last one said:\n\(worker.lastWords)")
            }
            restartsLeft -= 1
            workers[index] = try startWorker(index + 1)
        }
    }

    /// Ends workers, then the coordinator.
    func end() {
        ChildProcess.end(workers, patience: 10)
        ChildProcess.end([coordinator], patience: 10)
    }
}
