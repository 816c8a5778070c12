import Foundation
import JobModel
import TokenReduction
import WireProtocol

/// The measurements of `winnow bench queue`.
struct QueueBench {
    let folder: URL

    /// One round of no-op jobs: throughput, and what the coordinator used.
    struct Round {
        let jobsPerSecond: Double
        /// Milliseconds of processor time of the coordinator for each job, from hand-out to its durable end.
        let runMilliseconds: Double
        /// Milliseconds of processor time of the coordinator to accept a job.
        let acceptMilliseconds: Double
    }

    /// Runs a batch of `jobs` no-op jobs on workers that are there already.
    func round(_ number: Int, jobs: Int, on cluster: NullCluster) throws -> Round {
        let batch = try NullBatch("round-\(number)", items: jobs, in: folder)
        let file = try BatchFile.load(URL(fileURLWithPath: batch.path), methods: MethodCatalogue.all.map(\.name))
        let before = try cluster.usage()
        let id = try cluster.client.submit(file).batch
        let accepted = try cluster.usage()
        let status = try cluster.client.waitForEnd(
            of: id, showingProgress: false, every: .milliseconds(20)
        ) { _ in try cluster.check() }
        let finished = try cluster.usage()
        guard status.succeeded == UInt64(jobs) else {
            throw CommandFailure("\(status.succeeded) of \(jobs) no-op jobs succeeded")
        }
        return Round(
            jobsPerSecond: Double(jobs) / max(status.elapsedSeconds, 1e-6),
            runMilliseconds: (finished.seconds - accepted.seconds) * 1000 / Double(jobs),
            acceptMilliseconds: (accepted.seconds - before.seconds) * 1000 / Double(jobs))
    }

    /// Hands in a long manifest with `winnow submit`, kills the coordinator and starts it again.
    func manifest(items: Int) throws -> QueueReport.Manifest {
        let store = folder.appendingPathComponent("manifest")
        try FileManager.default.createDirectory(at: store, withIntermediateDirectories: true)
        let batch = try NullBatch("manifest", items: items, in: folder)
        let first = try NullCluster(in: store)
        defer { first.end() }
        var accepting = Measurement()
        try accepting.time {
            try Self.winnow(
                ["submit", batch.path, "--connect", first.clientEndpoint, "--patience", "600", "--output", "json"])
        }
        let used = try first.usage()
        first.coordinator.kill()

        // As long as a user would wait: the process is there, has read its store, listens, answers, and hands out a job.
        var answering = Measurement()
        var second: NullCluster?
        let clock = ContinuousClock(), start = clock.now
        try answering.time {
            let cluster = try NullCluster(in: store)
            second = cluster
            _ = try cluster.client.status()
        }
        guard let second else { throw CommandFailure("the coordinator did not start again") }
        defer { second.end() }
        try second.startWorkers(1, capacity: 8)
        while try second.client.status().batches.allSatisfy({ $0.succeeded == 0 }) {
            try second.check()
            Thread.sleep(forTimeInterval: 0.01)
        }
        let total = (clock.now - start) / .seconds(1)
        let status = try second.client.status()
        guard status.batches.contains(where: { $0.total == UInt64(items) }) else {
            throw CommandFailure("the batch of \(items) items is not there after the restart")
        }
        return QueueReport.Manifest(
            items: items, acceptSeconds: accepting.median, coordinatorSeconds: used.seconds,
            peakBytes: used.peakBytes, resumeSeconds: answering.median, firstResultSeconds: total,
            resumedPeakBytes: try second.usage().peakBytes)
    }

    /// What `count` connected workers without work take of one core of the coordinator.
    func idle(_ count: Int, seconds: Double) throws -> QueueReport.Idle {
        let store = folder.appendingPathComponent("idle")
        try FileManager.default.createDirectory(at: store, withIntermediateDirectories: true)
        let cluster = try NullCluster(in: store)
        defer { cluster.end() }
        try cluster.startIdleFleet(count)
        let clock = ContinuousClock(), before = try cluster.usage(), start = clock.now
        while (clock.now - start) / .seconds(1) < seconds {
            Thread.sleep(forTimeInterval: 0.5)
            try cluster.check()
        }
        let after = try cluster.usage(), elapsed = (clock.now - start) / .seconds(1)
        let present = try cluster.client.status().workers.count { $0.state != "lost" }
        guard present == count else { throw CommandFailure("\(count - present) of \(count) idle workers were lost") }
        return QueueReport.Idle(
            workers: count, ofOneCore: (after.seconds - before.seconds) / elapsed, peakBytes: after.peakBytes)
    }

    /// Runs this program to its end.
    private static func winnow(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = ChildProcess.thisProgram
        process.arguments = arguments
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw CommandFailure("winnow \(arguments.first ?? "") ended with exit code \(process.terminationStatus)")
        }
    }
}
