import Foundation
import TestSupport

/// A coordinator and workers as processes of their own, with times short enough for tests.
final class Services {
    private var submitted: [TestBatch] = []
    struct Endpoints: Decodable {
        let workers: String
        let clients: String
    }

    struct Batch: Decodable {
        let batch, state, results: String
        let total, waiting, running, succeeded, failed, cancelled: Int
    }

    struct Worker: Decodable {
        let worker, state: String
        let finished: Int
    }

    struct Item: Decodable {
        let item, state, answer, shard, error: String
        let row, attempts, visualTokens: Int
    }

    struct Status: Decodable {
        let batches: [Batch]
        let workers: [Worker]
        let items: [Item]?
    }

    struct Submitted: Decodable {
        let batch, results: String
        let items: Int
    }

    private let folder: TemporaryDirectory
    private let lease: Int
    /// The coordinator's job store.
    let store: String
    private(set) var coordinator: RunningWinnow
    private(set) var endpoints: Endpoints

    /// Starts a coordinator.
    ///
    /// - Parameters:
    ///   - lease: In seconds.
    ///   - store: The job store; nil keeps it in a temporary folder.
    ///   - descriptors: Most files and connections of the coordinator; nil leaves that to the system.
    init(lease: Int = 10, store: String? = nil, descriptors: Int? = nil) async throws {
        folder = try TemporaryDirectory()
        self.lease = lease
        let store = store ?? folder.file("jobs.sqlite").path
        self.store = store
        (coordinator, endpoints) = try await Self.start(
            store, workers: "tcp://127.0.0.1:*", clients: "tcp://127.0.0.1:*", lease: lease, descriptors: descriptors)
    }

    private static func start(
        _ store: String, workers: String, clients: String, lease: Int, descriptors: Int? = nil
    ) async throws -> (RunningWinnow, Endpoints) {
        let arguments = [
            "coordinator", "--store", store, "--workers", workers, "--clients", clients,
            "--heartbeat", "0.25", "--lease", "\(lease)", "--output", "json",
        ]
        let coordinator =
            if let descriptors {
                // The shell keeps its process for the program that it becomes.
                try RunningWinnow(
                    ["-c", "ulimit -n \(descriptors); exec \"$0\" \"$@\"", RunningWinnow.binary()] + arguments,
                    program: "/bin/sh")
            } else {
                try RunningWinnow(arguments)
            }
        try await eventually("the coordinator listens") {
            if !coordinator.isRunning { throw RunningWinnow.Trouble(description: coordinator.errors) }
            return coordinator.output.hasSuffix("\n")
        }
        return (coordinator, try Endpoints(printed: coordinator.output))
    }

    /// Starts the coordinator again, with the same store where it listened before; the old one must have ended.
    func restartCoordinator() async throws {
        _ = try await coordinator.end()
        (coordinator, endpoints) = try await Self.start(
            store, workers: endpoints.workers, clients: endpoints.clients, lease: lease)
    }

    /// Starts a worker that writes its results every `sealRows` answers.
    func startWorker(_ name: String, sealRows: Int = 10) throws -> RunningWinnow {
        try RunningWinnow([
            "worker", "--connect", endpoints.workers, "--name", name, "--threads", "1", "--seal-rows", "\(sealRows)",
            "--spool", folder.file("spool-\(name)").path,
        ])
    }

    /// Starts a worker without a model, whose jobs take `milliseconds`.
    func startNullWorker(_ name: String, capacity: Int = 8, milliseconds: Int = 0) throws -> RunningWinnow {
        try RunningWinnow([
            "worker", "--null", "--null-milliseconds", "\(milliseconds)", "--connect", endpoints.workers, "--name",
            name,
            "--threads", "1", "--capacity", "\(capacity)", "--spool", folder.file("spool-\(UUID().uuidString)").path,
        ])
    }

    /// Runs a client's command.
    func ask(_ command: String, _ arguments: String...) async throws -> RunningWinnow.End {
        try await winnow([command] + arguments + ["--connect", endpoints.clients])
    }

    /// Submits a batch, whose folder stays as long as the services do.
    func submit(_ batch: TestBatch) async throws -> Submitted {
        submitted.append(batch)
        return try Submitted(printed: try await ask("submit", batch.path, "--output", "json").output)
    }

    func status(_ batch: String, items: Bool = false) async throws -> Status {
        let end =
            items
            ? try await ask("status", batch, "--items", "--output", "json")
            : try await ask("status", batch, "--output", "json")
        return try Status(printed: end.output)
    }

    /// Waits until so many jobs of a batch succeeded; throws where it is over by then.
    func waitForSuccesses(_ count: Int, of batch: String) async throws {
        try await eventually("\(count) jobs succeed") {
            guard let state = try await status(batch).batches.first else { return false }
            guard state.state == "running" else {
                throw RunningWinnow.Trouble(description: "over before the test could disturb it: \(state)")
            }
            return state.succeeded >= count
        }
    }
}
