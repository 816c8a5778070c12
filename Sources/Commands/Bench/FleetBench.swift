import Foundation
import JobModel
import TokenReduction
import WireProtocol

/// The measurement of `winnow bench fleet`.
struct FleetBench {
    let folder: URL
    let workers, processes, capacity, jobs: Int
    let leaves, losses: Double

    func run() throws -> FleetReport {
        let cluster = try NullCluster(in: folder)
        defer { cluster.end() }
        let clock = ContinuousClock(), start = clock.now
        for process in 1...processes {
            let count = workers * process / processes - workers * (process - 1) / processes
            try cluster.startFleet(
                count, named: "fleet-\(process)", capacity: capacity, leaves: leaves / Double(processes),
                losses: losses / Double(processes))
        }
        try cluster.waitForWorkers(workers)
        let joinSeconds = (clock.now - start) / .seconds(1), joined = try cluster.usage()
        let batch = try NullBatch("fleet", items: jobs, in: folder)
        let file = try BatchFile.load(URL(fileURLWithPath: batch.path), methods: MethodCatalogue.all.map(\.name))
        let id = try cluster.client.submit(file).batch
        let accepted = try cluster.usage()
        // As `winnow workers` asks, once a second while the jobs run.
        var asking = Measurement()
        var lost = 0
        let status = try cluster.client.waitForEnd(of: id, showingProgress: false, every: .seconds(1)) { _ in
            try cluster.check()
            try asking.time { lost = try cluster.client.status().workers.count { $0.state == "lost" } }
        }
        let finished = try cluster.usage()
        guard status.succeeded == UInt64(jobs) else {
            throw CommandFailure("\(status.succeeded) of \(jobs) no-op jobs succeeded")
        }
        return FleetReport(
            workers: workers, processes: processes, capacity: capacity, jobs: jobs, leaves: leaves, losses: losses,
            joinSeconds: joinSeconds, joinedPeakBytes: joined.peakBytes,
            jobsPerSecond: Double(jobs) / max(status.elapsedSeconds, 1e-6),
            runMilliseconds: (finished.seconds - accepted.seconds) * 1000 / Double(jobs),
            peakBytes: finished.peakBytes, listSeconds: asking.median, lostAtEnd: lost)
    }
}

/// What `winnow bench fleet` prints.
struct FleetReport: Encodable {
    let workers, processes, capacity, jobs: Int
    let leaves, losses: Double
    /// From the start of their processes until all workers were there.
    let joinSeconds: Double
    let joinedPeakBytes: Int
    let jobsPerSecond: Double
    /// Milliseconds of processor time of the coordinator for each job.
    let runMilliseconds: Double
    let peakBytes: Int
    /// What one list of all workers took while the jobs ran; nil if they ended before the first.
    let listSeconds: Double?
    /// Workers that were listed as lost when the last jobs ran.
    let lostAtEnd: Int

    func text() -> String {
        var table = TextTable(["measured", ""], rightAligned: [1])
        func add(_ name: String, _ value: Double, _ format: String) {
            table.add([name, String(format: format, value)])
        }
        add("durable no-op jobs per second", jobsPerSecond, "%.0f")
        add("coordinator CPU for running a job, ms", runMilliseconds, "%.4f")
        add("coordinator's peak memory, MiB", Double(peakBytes) / 1_048_576, "%.0f")
        add("  before the first job, MiB", Double(joinedPeakBytes) / 1_048_576, "%.0f")
        if let listSeconds { add("a list of all workers meanwhile, ms", listSeconds * 1000, "%.0f") }
        add("until all workers were there, s", joinSeconds, "%.1f")
        add("workers listed as lost at the end", Double(lostAtEnd), "%.0f")
        return """
            \(workers) workers in \(processes) processes that hold \(capacity) jobs each, \(jobs) jobs; each second \(leaves) \
            leave and \(losses) vanish; no result files are written

            \(table.text())
            """
    }
}
