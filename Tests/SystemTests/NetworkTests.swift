import Foundation
import TestSupport
import Testing

/// Coordinator and worker on two machines, as far as the network can tell.
@Suite(.enabled(if: TestNetwork.hindrance == nil, "\(TestNetwork.hindrance ?? "")"))
struct NetworkTests {
    /// A coordinator on the head, a worker on the node, and keys for them.
    private final class Site {
        let network: TestNetwork
        let folder: TemporaryDirectory
        private(set) var coordinator: RunningWinnow
        private var keys: String { folder.file("keys").path }

        /// - Parameter host: Where the coordinator listens.
        init(host: String = "0.0.0.0") async throws {
            network = try TestNetwork()
            folder = try TemporaryDirectory()
            let made = try await winnow("keys", "new", "--keys", folder.file("keys").path)
            guard made.code == 0 else { throw RunningWinnow.Trouble(description: "\(made)") }
            coordinator = try Self.start(network, folder, host)
            try await waitUntilItListens()
        }

        private static func start(
            _ network: TestNetwork, _ folder: TemporaryDirectory, _ host: String
        ) throws -> RunningWinnow {
            try network.onHead([
                "coordinator", "--store", folder.file("jobs.sqlite").path, "--workers", "tcp://\(host):5757",
                "--clients", "tcp://\(host):5758", "--keys", folder.file("keys").path, "--heartbeat", "0.25",
                "--lease", "10", "--output", "json",
            ])
        }

        private func waitUntilItListens() async throws {
            try await eventually("the coordinator listens") {
                if !coordinator.isRunning { throw RunningWinnow.Trouble(description: coordinator.errors) }
                return coordinator.output.contains("\n")
            }
        }

        /// Ends the coordinator and starts it again where it may listen elsewhere.
        func moveCoordinator(to host: String) async throws {
            coordinator.kill(SIGTERM)
            _ = try await coordinator.end()
            coordinator = try Self.start(network, folder, host)
            try await waitUntilItListens()
        }

        func worker(at host: String) throws -> RunningWinnow {
            try network.onNode([
                "worker", "--null", "--null-milliseconds", "100", "--capacity", "2", "--threads", "1", "--connect",
                "tcp://\(host):5757", "--name", "far", "--key", "\(keys)/worker.key", "--spool",
                folder.file("spool").path, "--seal-seconds", "0.2",
            ])
        }

        /// Asks the coordinator, on its own machine.
        func ask(_ arguments: String..., at host: String = "10.77.1.1") async throws -> RunningWinnow.End {
            try await network.onHead(
                arguments + ["--connect", "tcp://\(host):5758", "--key", "\(keys)/client.key"]
            ).end()
        }

        func batch(_ name: String, at host: String = "10.77.1.1") async throws -> Services.Batch? {
            try Services.Status(printed: await ask("status", name, "--output", "json", at: host).output).batches
                .first
        }

        func workerState(at host: String = "10.77.1.1") async throws -> String? {
            try [Services.Worker](printed: await ask("workers", "--output", "json", at: host).output).first?.state
        }
    }

    private let batch: TestBatch

    init() throws {
        batch = try TestBatch(
            (0..<80).map { .init(id: "q\($0)", image: "images/scene-000.jpg", prompt: "question \($0)") })
    }

    @Test(
        "a connection that dies without a word: the worker is lost, comes back by itself, and every job ends once")
    func silentDeath() async throws {
        let site = try await Site()
        let worker = try site.worker(at: "10.77.1.1")
        let submitted = try Services.Submitted(
            printed: try await site.ask("submit", batch.path, "--output", "json").output)
        try await eventually("some jobs succeed") {
            try await site.batch(submitted.batch)?.succeeded ?? 0 >= 10
        }
        try site.network.cutCable(true)
        try await eventually("the worker is lost") { try await site.workerState() == "lost" }
        try site.network.cutCable(false)
        try await eventually("the batch ends") { try await site.batch(submitted.batch)?.state == "finished" }
        #expect(try await site.batch(submitted.batch)?.succeeded == 80)
        let verified = try await winnow("results", "verify", submitted.results)
        #expect(verified.code == 0, "\(verified)")
        #expect(worker.isRunning)
    }

    @Test("a coordinator that moves to another address behind its name is found there")
    func movedCoordinator() async throws {
        let site = try await Site(host: "10.77.1.1")
        let worker = try site.worker(at: "head.test")
        let submitted = try Services.Submitted(
            printed: try await site.ask("submit", batch.path, "--output", "json").output)
        try await eventually("some jobs succeed") {
            try await site.batch(submitted.batch)?.succeeded ?? 0 >= 10
        }
        try site.network.addAddress("10.77.2.9")
        try await site.moveCoordinator(to: "10.77.2.9")
        try site.network.removeAddress("10.77.1.1")
        try site.network.nameHead("10.77.2.9")
        try await eventually("the batch ends; \(worker.errors)") {
            try await site.batch(submitted.batch, at: "10.77.2.9")?.state == "finished"
        }
        #expect(try await site.batch(submitted.batch, at: "10.77.2.9")?.succeeded == 80)
        #expect(worker.isRunning)
    }

    @Test(
        "IPv6: by address, by a name that has no other, and by a name of both kinds where nobody listens at the other",
        arguments: [["[fd77::1]"], ["head.test", "fd77::1"], ["head.test", "10.77.1.1", "fd77::1"]])
    func ipv6(host: [String]) async throws {
        let site = try await Site(host: "[fd77::1]")
        switch host.count {
        case 2: try site.network.nameHead(host[1])
        case 3: try site.network.nameHead(host[1], host[2])
        default: break
        }
        let worker = try site.worker(at: host[0])
        let submitted = try Services.Submitted(
            printed: try await site.ask("submit", batch.path, "--output", "json", at: "[fd77::1]").output)
        try await eventually("the batch ends; \(worker.errors)") {
            try await site.batch(submitted.batch, at: "[fd77::1]")?.state == "finished"
        }
        #expect(worker.isRunning)
    }
}
