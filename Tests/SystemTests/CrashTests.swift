import Foundation
import Testing

extension BlackBox {
    /// Processes killed in the middle of a batch lose nothing and do nothing twice.
    @Suite struct CrashTests {
        @Test func aWorkerIsKilled() async throws {
            try await disturb { services, workers, _ in
                workers[0].kill()
                _ = try await workers[0].end()
                return [workers[1]]
            }
        }

        @Test func allWorkersAreKilledAndStartedAgain() async throws {
            try await disturb { services, workers, batch in
                for worker in workers { worker.kill() }
                for worker in workers { _ = try await worker.end() }
                let state = try #require(try await services.status(batch).batches.first)
                #expect(state.state == "running" && state.succeeded < state.total)
                return try ["one", "three"].map { try services.startWorker($0) }
            }
        }

        @Test func theCoordinatorIsKilledAndStartedAgain() async throws {
            try await disturb { services, workers, _ in
                services.coordinator.kill()
                try await services.restartCoordinator()
                return workers
            }
        }

        @Test func everythingIsKilledAndStartedAgain() async throws {
            // What the dead workers held waits for its leases to expire: nobody can say that they are dead.
            try await disturb(lease: 4) { services, workers, _ in
                for process in workers + [services.coordinator] { process.kill() }
                for worker in workers { _ = try await worker.end() }
                try await services.restartCoordinator()
                return try ["one", "two"].map { try services.startWorker($0) }
            }
        }

        /// Runs a batch with two workers, lets `blow` fall in the middle of it, and checks what is there in the end.
        ///
        /// - Parameter blow: returns the workers that live on.
        private func disturb(
            lease: Int = 10, _ blow: (Services, [RunningWinnow], String) async throws -> [RunningWinnow]
        ) async throws {
            let services = try await Services(lease: lease)
            let workers = try ["one", "two"].map { try services.startWorker($0) }
            // So many that most are left when the blow falls, also if asking how it stands takes seconds.
            let jobs = 1000
            let batch = try TestBatch(Demo.items(jobs), method: "{name: ficoco-v, keep: 64}", maxTokens: 4)
            let submitted = try await services.submit(batch)
            try await services.waitForSuccesses(20, of: submitted.batch)
            let survivors = try await blow(services, workers, submitted.batch)

            let wait = try await services.ask("wait", submitted.batch)
            #expect(wait.code == 0, "\(wait)")
            let status = try await services.status(submitted.batch, items: true)
            let state = try #require(status.batches.first)
            #expect(state.succeeded == jobs && state.failed == 0 && state.cancelled == 0)
            let items = try #require(status.items)
            #expect(items.map(\.item) == batch.items.map(\.id))
            #expect(items.allSatisfy { $0.state == "succeeded" && $0.visualTokens == 64 })
            try BlackBox.checkRows(of: items, in: batch.results)
            #expect(survivors.allSatisfy { $0.isRunning })
        }
    }
}
