import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// Many workers, many jobs, few file descriptors.
    @Suite struct CrowdTests {
        /// Workers in one process that never get a job.
        private func startFleet(_ count: Int, of services: Services) throws -> RunningWinnow {
            try RunningWinnow([
                "bench", "fleet-workers", "--connect", services.endpoints.workers, "--count", "\(count)",
            ])
        }

        private func waitForFleet(_ count: Int, of services: Services, _ fleet: RunningWinnow) async throws {
            try await eventually("\(count) workers are there") {
                guard fleet.isRunning else { throw RunningWinnow.Trouble(description: fleet.errors) }
                return try await services.status("").workers.count { $0.state != "lost" } == count
            }
        }

        @Test("24: hundreds of workers come back at once when the coordinator does")
        func aStormOfReconnections() async throws {
            let services = try await Services()
            let fleet = try startFleet(300, of: services)
            try await waitForFleet(300, of: services, fleet)
            services.coordinator.kill()
            try await services.restartCoordinator()
            try await waitForFleet(300, of: services, fleet)
        }

        @Test("34: a coordinator without file descriptors refuses new workers and serves the others")
        func fewFileDescriptors() async throws {
            let services = try await Services(descriptors: 64)
            let worker = try services.startNullWorker("early")
            try await eventually("the worker is there") { try await services.status("").workers.count == 1 }
            let client = try TestBatch(Demo.items(40), method: "none")
            let fleet = try startFleet(100, of: services)
            try await eventually("the descriptors are used up") {
                let files = try FileManager.default.contentsOfDirectory(
                    atPath: "/proc/\(services.coordinator.process)/fd")
                return files.count >= 60
            }
            fleet.kill()
            _ = try await fleet.end()
            let submitted = try await services.submit(client)
            let wait = try await services.ask("wait", submitted.batch)
            #expect(wait.code == 0, "\(wait)")
            #expect(worker.isRunning && services.coordinator.isRunning)
        }

        @Test("25: of two workers of one name the newer one works and the older one says why it ends")
        func twoWorkersOfOneName() async throws {
            let services = try await Services()
            let older = try services.startNullWorker("twin")
            try await eventually("the first is there") { try await services.status("").workers.count == 1 }
            let newer = try services.startNullWorker("twin")
            let end = try await older.end()
            #expect(end.code == 1 && end.errors.contains("twin"), "\(end)")
            let submitted = try await services.submit(TestBatch(Demo.items(40), method: "none"))
            #expect(try await services.ask("wait", submitted.batch).code == 0)
            #expect(newer.isRunning)
        }

        @Test("36: cancelling tens of thousands of jobs while they run ends each of them once")
        func cancellingManyJobs() async throws {
            let services = try await Services()
            let workers = try (1...2).map {
                try services.startNullWorker("worker-\($0)", capacity: 64, milliseconds: 20)
            }
            let batch = try TestBatch(Demo.items(30_000), method: "none", lines: "features: none")
            let submitted = try await services.submit(batch)
            try await services.waitForSuccesses(100, of: submitted.batch)
            let cancel = try await services.ask("cancel", submitted.batch, "--reason", "a test", "--output", "json")
            #expect(cancel.code == 0, "\(cancel)")
            let wait = try await services.ask("wait", submitted.batch, "--output", "json")
            let ended = try Services.Batch(printed: wait.output)
            #expect(wait.code == 4 && ended.state == "cancelled", "\(wait)")
            #expect(ended.waiting + ended.running == 0 && ended.succeeded >= 100 && ended.cancelled > 0)
            #expect(ended.succeeded + ended.failed + ended.cancelled == 30_000)
            // Workers have let go of what they held and go on with the next batch.
            let more = try TestBatch(Demo.items(100), method: "none")
            let asked = try await services.ask("submit", more.path, "--new", "--output", "json")
            let next = try Services.Submitted(printed: asked.output)
            #expect(try await services.ask("wait", next.batch).code == 0)
            #expect(workers.allSatisfy { $0.isRunning })
            let after = try #require(try await services.status(submitted.batch).batches.first)
            #expect(after.succeeded == ended.succeeded && after.cancelled == ended.cancelled)
        }
    }
}
