import Foundation
import Monitoring
import TestSupport
import Testing

/// The numbers as another program reads them: Prometheus's own Python client (Debian: python3-prometheus-client).
@Suite struct MetricsTests {
    private static let parser = """
        import sys
        from prometheus_client.parser import text_string_to_metric_families
        import urllib.request
        families = list(text_string_to_metric_families(urllib.request.urlopen(sys.argv[1], timeout=60).read().decode()))
        names = [family.name for family in families]
        assert len(names) == len(set(names)), names
        for family in families:
            assert family.documentation, family
            assert family.type in ("counter", "gauge", "histogram"), family
            for sample in family.samples:
                print(sample.name, " ".join(f"{k}={v}" for k, v in sorted(sample.labels.items())), sample.value, sep="|")
        """

    private static let hasParser = (try? SystemPython.run("import prometheus_client.parser")) != nil

    @Test(.enabled(if: hasParser, "needs Debian's python3-prometheus-client"))
    func prometheusReadsWhatWasCounted() async throws {
        var counters = ServiceCounters()
        counters.attempts = 7
        counters.leaseExpiries = 2
        counters.malformed = 3
        counters.ended["failed"] = 4
        counters.traffic["workers"]?.received = (10, 1_000)
        counters.traffic["workers"]?.connections = (5, 3, 1)
        for value in [0.0001, 0.002, 0.002, 100] { counters.commitTime.observe(value) }
        var snapshot = ServiceSnapshot(
            software: "winnow \"test\"\\\n", startedAt: 1.5e9, throughput: EndedJobs(interval: 10, intervals: 6, at: 0),
            seconds: 5, counters: counters)
        var batch = ServiceSnapshot.Batch(batch: "b", state: "running", results: "/r")
        batch.jobs = ["waiting": 3, "succeeded": 5_000_000_000]
        snapshot.batches = [batch, batch]
        snapshot.workers = [
            .init(worker: "w", state: "busy", running: 1, capacity: 8, finished: 3, jobsPerSecond: 1, silentSeconds: 0)
        ]
        let board = StatusBoard {}
        board.post(snapshot)
        let address = try #require(ListenAddress("0"))
        let server = try await awayFromTasks { try MonitoringServer(address, board: board) }
        defer { server.stop() }
        let page = server.url + "/metrics"
        let printed = try await awayFromTasks { try SystemPython.run(Self.parser, page) }
        let lines = Set(printed.split(separator: "\n").map(String.init))
        for expected in [
            "winnow_attempts_total||7.0", "winnow_lease_expiries_total||2.0",
            "winnow_messages_dropped_total|reason=malformed|3.0", "winnow_jobs_ended_total|outcome=failed|4.0",
            "winnow_jobs|state=waiting|6.0", "winnow_jobs|state=succeeded|10000000000.0",
            "winnow_jobs|state=running|0.0", "winnow_batches|state=running|2.0", "winnow_workers|state=busy|1.0",
            "winnow_workers|state=lost|0.0", "winnow_worker_slots||8.0",
            "winnow_messages_received_total|port=workers|10.0", "winnow_received_bytes_total|port=workers|1000.0",
            "winnow_connections|port=workers|2.0", "winnow_connections_refused_total|port=workers|1.0",
            "winnow_store_commit_seconds_bucket|le=0.0005|1.0", "winnow_store_commit_seconds_bucket|le=0.0025|3.0",
            "winnow_store_commit_seconds_bucket|le=5|3.0", "winnow_store_commit_seconds_bucket|le=+Inf|4.0",
            "winnow_store_commit_seconds_count||4.0", "winnow_store_healthy||1.0",
            "process_start_time_seconds||1500000000.0",
        ] { #expect(lines.contains(expected), "\(expected)") }
        // The newline of the label ends the printed line.
        #expect(lines.contains("winnow_build_info|version=winnow \"test\"\\"))
        for name in [
            "process_resident_memory_bytes", "process_open_fds", "process_max_fds", "process_cpu_seconds_total",
        ] {
            let value = lines.first { $0.hasPrefix(name + "|") }?.split(separator: "|").last.flatMap { Double($0) }
            #expect((value ?? 0) > 0, "\(name)")
        }
    }

    /// `ops/monitoring.md` names every metric, and names none that is not there.
    @Test func everyMetricIsDocumented() async throws {
        let board = StatusBoard {}
        board.post(
            ServiceSnapshot(
                software: "winnow", startedAt: 0, throughput: EndedJobs(interval: 10, intervals: 6, at: 0), seconds: 0,
                counters: ServiceCounters()))
        let address = try #require(ListenAddress("0"))
        let server = try await awayFromTasks { try MonitoringServer(address, board: board) }
        defer { server.stop() }
        let url = server.url + "/metrics"
        let text = try await awayFromTasks { try WebClient.get(url).text }
        let served = text.split(separator: "\n").filter { $0.hasPrefix("# TYPE ") }.map { $0.split(separator: " ")[2] }
        let page = try String(contentsOf: Repository.root.appendingPathComponent("ops/monitoring.md"), encoding: .utf8)
        let table = try #require(page.split(separator: "\n## ").first { $0.hasPrefix("Metrics\n") })
        let documented = table.split(separator: "\n").compactMap { line -> Substring? in
            guard line.hasPrefix("| `winnow_") || line.hasPrefix("| `process_") else { return nil }
            return line.dropFirst(3).prefix { $0 != "`" && $0 != "{" }
        }
        #expect(Set(served) == Set(documented))
        #expect(served.count == Set(served).count && served.count > 20)
    }
}
