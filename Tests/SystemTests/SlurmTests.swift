import Foundation
import TestSupport
import Testing

/// Allocations of a real Slurm. These tests mostly wait, so they run beside the others.
@Suite(.enabled(if: SlurmCluster.hindrance == nil, "\(SlurmCluster.hindrance ?? "")"))
struct SlurmTests {
    /// A coordinator, a Slurm, and the process between them.
    private final class Site {
        let slurm: SlurmCluster
        let services: Services
        private let folder: TemporaryDirectory
        private(set) var server: RunningWinnow?
        var queues: String { folder.file("queues").path }

        init(enforcesLimits: Bool = true) async throws {
            slurm = try await SlurmCluster(enforcesLimits: enforcesLimits)
            services = try await Services(lease: 30)
            folder = try TemporaryDirectory()
        }

        /// Runs `winnow alloc …`.
        func alloc(_ arguments: String...) async throws -> RunningWinnow.End {
            try await run(arguments)
        }

        private func run(_ arguments: [String]) async throws -> RunningWinnow.End {
            try await RunningWinnow(
                ["alloc", arguments[0], "--queues", queues] + arguments.dropFirst(), environment: slurm.environment
            ).end()
        }

        /// Adds a queue of null workers.
        func add(_ options: [String] = [], milliseconds: Int, sbatch: [String] = []) async throws
            -> RunningWinnow.End
        {
            try await run(
                [
                    "add", "slurm", "--name", "cpu", "--endpoint", services.endpoints.workers, "--worker-options",
                    "--null --null-milliseconds \(milliseconds) --capacity 2 --threads 1 --seal-seconds 1",
                ]
                    + options + ["--", "--mem=100", "-o", folder.file("%x.out").path] + sbatch)
        }

        func serve() throws {
            server = try RunningWinnow(
                ["alloc", "serve", "--queues", queues, "--connect", services.endpoints.clients, "--every", "1"],
                environment: slurm.environment)
        }

        /// Submits a batch of null jobs, adds a queue for it and serves the queue.
        func start(
            _ batch: TestBatch, _ options: [String] = [], milliseconds: Int, sbatch: [String] = []
        ) async throws -> Services.Submitted {
            let submitted = try await services.submit(batch)
            let added = try await add(options, milliseconds: milliseconds, sbatch: sbatch)
            #expect(added.code == 0, "\(added)")
            try serve()
            return submitted
        }

        func info() async throws -> Info {
            try Info(printed: try await alloc("info", "cpu", "--output", "json").output)
        }

        /// What the workers of an allocation said, for messages of failed tests.
        var workerLogs: String {
            let names = (try? FileManager.default.contentsOfDirectory(atPath: folder.url.path)) ?? []
            return names.filter { $0.hasSuffix(".out") }.map {
                "\($0): " + String(((try? String(contentsOf: folder.file($0), encoding: .utf8)) ?? "").suffix(400))
            }.joined(separator: "\n")
        }

        /// Attempts that cost a job something: lost workers and leases that ran out.
        func losses() throws -> String {
            let process = Process(), output = Pipe()
            process.executableURL = URL(fileURLWithPath: "/usr/bin/sqlite3")
            process.arguments = [services.store, "SELECT coalesce(sum(crash_count), 0) FROM job"]
            process.standardOutput = output
            try process.run()
            process.waitUntilExit()
            return String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
                .trimmingCharacters(in: .whitespacesAndNewlines)
        }
    }

    private struct Info: Decodable {
        struct Allocation: Decodable {
            let allocation, state, reason: String
            let job: String?
            let finished: UInt64
        }
        let standing: String
        let isPaused: Bool
        let failuresInRow: Int
        let allocations: [Allocation]
    }

    private struct Worker: Decodable {
        let worker: String
        let memoryBytes: Int
    }

    private func items(_ count: Int) -> [TestBatch.Item] {
        (0..<count).map { .init(id: "q\($0)", image: "images/scene-000.jpg", prompt: "question \($0)") }
    }

    private func checkResults(_ batch: Services.Submitted, of site: Site, count: Int) async throws {
        let state = try #require(try await site.services.status(batch.batch).batches.first)
        #expect(state.succeeded == count && state.state == "finished", "\(state)")
        let verified = try await winnow("results", "verify", batch.results)
        #expect(verified.code == 0, "\(verified)")
    }

    private func waitForEnd(_ batch: Services.Submitted, of site: Site) async throws {
        try await eventually("batch \(batch.batch) is over; \(site.workerLogs)") {
            try await site.services.status(batch.batch).batches.first?.state != "running"
        }
    }

    @Test(
        "300 jobs through allocations of one minute: every item one row, no lease lost, no allocation left behind")
    func shortAllocations() async throws {
        let site = try await Site()
        let submitted = try await site.start(
            TestBatch(items(300)),
            ["--time-limit", "60s", "--notice", "30s", "--max-workers", "2", "--idle-timeout", "4s"],
            milliseconds: 600)
        try await waitForEnd(submitted, of: site)
        try await checkResults(submitted, of: site, count: 300)
        #expect(try site.losses() == "0")
        try await eventually("no allocation is left") { try site.slurm.jobs().isEmpty }
        let info = try await site.info()
        #expect(info.allocations.count >= 3, "one allocation alone would not have had the time: \(info)")
        #expect(info.failuresInRow == 0, "\(info)")
        #expect(!info.isPaused)
        try await eventually("the queue says that nothing waits") {
            try await site.info().standing == "no job waits"
        }
        #expect(site.server?.isRunning == true)
    }

    @Test("cancelled allocations, a node that is lost and a controller that is away cost no row")
    func disturbances() async throws {
        let site = try await Site()
        let submitted = try await site.start(
            TestBatch(items(240)),
            ["--time-limit", "5m", "--notice", "20s", "--max-workers", "3", "--idle-timeout", "4s"],
            milliseconds: 500)
        try await site.services.waitForSuccesses(20, of: submitted.batch)
        let first = try #require(try site.slurm.jobs().first { $0.contains("RUNNING") })
        try site.slurm.query("scancel", [String(first.prefix { $0 != "|" })])
        try await site.services.waitForSuccesses(60, of: submitted.batch)
        try site.slurm.query("scontrol", ["update", "NodeName=n1", "State=DOWN", "Reason=test"])
        try await site.services.waitForSuccesses(90, of: submitted.batch)
        site.slurm.stopController()
        // Long enough for looks that find nobody; whether an allocation runs meanwhile is chance.
        try await Task.sleep(for: .seconds(12))
        try site.slurm.startController()
        try await waitForEnd(submitted, of: site)
        try await checkResults(submitted, of: site, count: 240)
        try await eventually("no allocation is left") { try site.slurm.jobs().isEmpty }
        #expect(try await site.info().isPaused == false)
        #expect(site.server?.isRunning == true)
    }

    @Test("what Slurm refuses is said in its own words, at once and where jobs wait for it")
    func refusals() async throws {
        let site = try await Site()
        let refused = try await site.add(
            ["--time-limit", "1h"], milliseconds: 10, sbatch: ["--partition", "nowhere"])
        #expect(refused.code == 2)
        #expect(refused.errors.contains("nowhere"), "\(refused)")
        let own = try await site.alloc("add", "slurm", "--", "--time=5")
        #expect(own.code == 2)
        #expect(own.errors.contains("--time-limit"), "\(own)")
        let dry = try await site.alloc(
            "add", "slurm", "--dry-run", "--time-limit", "1h", "--endpoint", "tcp://head:5757", "--", "--mem=100")
        #expect(dry.code == 0, "\(dry)")
        #expect(dry.output.contains("--time=1:00:00") && dry.output.contains("Slurm would take it"), "\(dry)")
        #expect(try await site.alloc("list", "--output", "json").output == "[]\n")

        let submitted = try await site.services.submit(try TestBatch(items(20)))
        let forced = try await site.add(["--force"], milliseconds: 10, sbatch: ["--partition", "nowhere"])
        #expect(forced.code == 0, "\(forced)")
        try site.serve()
        try await eventually("the queue has paused") { try await site.info().isPaused }
        #expect(try await site.info().standing.contains("nowhere"))
        // The coordinator hears of it with the next look.
        try await eventually("explain says why, in Slurm's words") {
            try await site.services.ask("explain", submitted.batch, "q0").output.contains("invalid partition")
        }
        #expect(try await site.alloc("events", "cpu").output.contains("paused"))
        #expect(try site.slurm.jobs().isEmpty)
    }

    @Test("jobs that would wait for ever, where limits are not enforced, are taken back and pause the queue")
    func waitsForEver() async throws {
        let site = try await Site(enforcesLimits: false)
        _ = try await site.start(
            TestBatch(items(20)), ["--time-limit", "10m"], milliseconds: 10, sbatch: ["--partition", "short"])
        try await eventually("the queue has paused") { try await site.info().isPaused }
        #expect(try await site.info().standing.contains("PartitionTimeLimit"))
        try await eventually("nothing is in line") { try site.slurm.jobs().isEmpty }
        #expect(site.server?.isRunning == true)
    }

    @Test("why the workers of an allocation failed is said where the queue's standing is")
    func failedWorkers() async throws {
        let site = try await Site()
        _ = try await site.services.submit(try TestBatch(items(20)))
        let added = try await site.alloc(
            "add", "slurm", "--name", "cpu", "--endpoint", site.services.endpoints.workers, "--worker-options",
            "--key /nowhere/worker.key --threads 1", "--", "--mem=100")
        #expect(added.code == 0 && added.errors.contains("/nowhere/worker.key"), "\(added)")
        try site.serve()
        try await eventually("the queue has paused") { try await site.info().isPaused }
        let standing = try await site.info().standing
        #expect(standing.contains("/nowhere/worker.key") && standing.contains("winnow alloc resume cpu"), "\(standing)")
        #expect(site.server?.isRunning == true)
    }

    @Test("a queue that is paused asks for nothing; a removed one lets its workers finish and is gone")
    func steering() async throws {
        let site = try await Site()
        let added = try await site.add(
            ["--time-limit", "5m", "--max-workers", "1", "--notice", "15s"], milliseconds: 300)
        #expect(added.code == 0, "\(added)")
        #expect(added.output.contains("nobody serves"))
        #expect(try await site.alloc("pause", "cpu").code == 0)
        try site.serve()
        let submitted = try await site.services.submit(try TestBatch(items(400)))
        try await eventually("it says that it is paused") { try await site.info().standing.contains("paused") }
        try await Task.sleep(for: .seconds(3))
        #expect(try site.slurm.jobs().isEmpty)
        #expect(try await site.alloc("resume", "cpu").code == 0)
        try await site.services.waitForSuccesses(10, of: submitted.batch)
        let workers = try [Worker](printed: try await site.services.ask("workers", "--output", "json").output)
        let worker = try #require(workers.first { $0.worker.hasPrefix("winnow-cpu-") }, "\(workers)")
        #expect((1...100 << 20).contains(worker.memoryBytes), "its job asked for 100 MiB")
        #expect(try await site.alloc("remove", "cpu").code == 0)
        try await eventually("the queue is gone") {
            try await site.alloc("list", "--output", "json").output == "[]\n"
        }
        try await eventually("no allocation is left") { try site.slurm.jobs().isEmpty }
        let state = try #require(try await site.services.status(submitted.batch).batches.first)
        #expect(state.running == 0, "what it ran was finished or handed back: \(state)")
        #expect(try site.losses() == "0")
        #expect(site.server?.isRunning == true)
    }

    @Test("jobs longer than an allocation make no queue ask for machines, and it says so")
    func tooLong() async throws {
        let site = try await Site()
        // A worker by hand tells how long these jobs take.
        let worker = try site.services.startNullWorker("byhand", capacity: 12, milliseconds: 4000)
        let submitted = try await site.services.submit(try TestBatch(items(600)))
        try await site.services.waitForSuccesses(12, of: submitted.batch)
        let added = try await site.add(["--time-limit", "60s", "--notice", "58s"], milliseconds: 4000)
        #expect(added.code == 0, "\(added)")
        try site.serve()
        try await eventually("the queue says why") {
            try await site.info().standing.contains("longer than the 2 s")
        }
        #expect(try site.slurm.jobs().isEmpty)
        #expect(worker.isRunning)
        #expect(site.server?.isRunning == true)
    }
}
