import Foundation

/// What `winnow bench queue` prints.
struct QueueReport: Encodable {
    /// A long manifest.
    struct Manifest: Encodable {
        let items: Int
        /// From the start of `winnow submit` to its end: every line checked, sent, stored.
        let acceptSeconds: Double
        /// Processor time of the coordinator for it.
        let coordinatorSeconds: Double
        let peakBytes: Int
        /// From the start after kill -9 to the first answer, and to the first result of a worker started then.
        let resumeSeconds, firstResultSeconds: Double
        let resumedPeakBytes: Int
    }

    /// Connected workers without work.
    struct Idle: Encodable {
        let workers: Int
        let ofOneCore: Double
        let peakBytes: Int
    }

    /// Another program in the same rounds.
    struct Peer: Encodable {
        let name: String
        let jobsPerSecond: Spread?
        /// How many times as fast the queue is.
        let ratio: Spread?
        let skipped: String?
    }

    let jobs, workers, capacity, runs: Int
    let shards: Bool
    let jobsPerSecond: Spread
    /// Milliseconds of processor time of the coordinator for each job.
    let runMilliseconds, acceptMilliseconds: Spread
    let manifest: Manifest?
    let idle: Idle?
    let peers: [Peer]

    func text() -> String {
        var table = TextTable(["measured", "median", "least", "greatest"], rightAligned: [1, 2, 3])
        func add(_ name: String, _ spread: Spread, _ format: String) {
            table.add([name] + [spread.median, spread.least, spread.greatest].map { String(format: format, $0) })
        }
        func add(_ name: String, _ value: Double, _ format: String) {
            table.add([name, String(format: format, value), "", ""])
        }
        add("durable no-op jobs per second", jobsPerSecond, "%.0f")
        add("coordinator CPU for running a job, ms", runMilliseconds, "%.4f")
        add("coordinator CPU for accepting a job, ms", acceptMilliseconds, "%.4f")
        if let manifest {
            add("manifest of \(manifest.items) items accepted, s", manifest.acceptSeconds, "%.1f")
            add("  coordinator CPU for it, s", manifest.coordinatorSeconds, "%.1f")
            add("  answers again after kill -9, s", manifest.resumeSeconds, "%.1f")
            add("  first result after kill -9, s", manifest.firstResultSeconds, "%.1f")
            add("  coordinator's peak memory, MiB", Double(manifest.peakBytes) / 1_048_576, "%.0f")
            add("  peak memory after the restart, MiB", Double(manifest.resumedPeakBytes) / 1_048_576, "%.0f")
        }
        if let idle {
            add("\(idle.workers) idle workers, % of a core", 100 * idle.ofOneCore, "%.2f")
            add("  coordinator's peak memory, MiB", Double(idle.peakBytes) / 1_048_576, "%.0f")
        }
        for peer in peers {
            if let rate = peer.jobsPerSecond, let ratio = peer.ratio {
                add("\(peer.name), no-op jobs per second", rate, "%.0f")
                add("  winnow is this many times as fast", ratio, "%.1f")
            } else {
                table.add(["\(peer.name): skipped, \(peer.skipped ?? "it printed no figures")", "", "", ""])
            }
        }
        return """
            \(workers) null workers that hold \(capacity) jobs each, \(jobs) jobs a round, medians of \(runs); \
            \(shards ? "results are written to shards" : "no result files are written")

            \(table.text())
            """
    }
}
