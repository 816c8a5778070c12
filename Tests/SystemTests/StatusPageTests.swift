import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// What a coordinator serves to those who watch.
    @Suite struct StatusPageTests {
        @Test func numbersFollowTheBatch() async throws {
            let coordinator = try await KeyedCoordinator("--http", "0", "--heartbeat", "0.25")
            let http = try #require(coordinator.endpoints.http)
            #expect(http.hasPrefix("http://127.0.0.1:"))
            #expect(try WebClient.get(http + "/healthz").code == 200)
            let (submitted, worker) = try await submit(coordinator)
            #expect(submitted.code == 3 && worker.isRunning, "\(submitted)")
            let lines = try WebClient.get(http + "/metrics").text.split(separator: "\n")
            for line in [
                #"winnow_jobs{state="succeeded"} 4"#, #"winnow_jobs{state="failed"} 1"#,
                #"winnow_jobs_ended_total{outcome="succeeded"} 4"#, #"winnow_jobs_ended_total{outcome="failed"} 1"#,
                "winnow_attempts_total 5", #"winnow_workers{state="idle"} 1"#, "winnow_queue_wait_seconds_count 5",
                #"winnow_batches{state="finished"} 1"#, "winnow_store_healthy 1", "winnow_lease_expiries_total 0",
                #"winnow_connections{port="workers"} 1"#, #"winnow_messages_dropped_total{reason="malformed"} 0"#,
            ] { #expect(lines.contains { $0 == line }, "\(line)") }
            let status = try WebClient.get(http + "/status.json").text
            #expect(status.contains("bad.jpg") && status.contains(#""batch":"batch""#))
        }

        @Test(.enabled(if: Chromium.isInstalled, "needs Debian's chromium"))
        func theLivePageShowsBatchesWorkersAndFailures() async throws {
            let coordinator = try await KeyedCoordinator("--http", "0", "--heartbeat", "0.25")
            let http = try #require(coordinator.endpoints.http)
            let empty = try Chromium(http).load()
            #expect(empty.document.contains("No batch yet") && empty.document.contains(">healthy<"))
            #expect(empty.complaints == [])

            let (submitted, worker) = try await submit(coordinator)
            #expect(submitted.code == 3 && worker.isRunning, "\(submitted)")
            let page = try Chromium(http).load()
            #expect(page.complaints == [])
            let rows = page.document.split(separator: "<tr").map(String.init)
            #expect(rows.contains { $0.contains(">batch<") && $0.contains("5 / 5") && $0.contains("state finished") })
            // Amber, with its method, its results and a way to what failed.
            #expect(
                rows.contains {
                    $0.contains("state finished failures") && $0.contains("ficoco-v, 192 tokens")
                        && $0.contains("/results/batch<")
                        && $0.components(separatedBy: ##"href="#batch=batch""##).count == 1 + 2
                })
            let about = try Chromium(http + "/#batch=batch").load()
            #expect(about.complaints == [])
            #expect(about.document.contains(">Batch batch<") && about.document.contains("/results/batch</code>"))
            // Every key of a batch file, defaults included.
            #expect(about.document.contains("image_mode:") && about.document.contains("crash_limit:"))
            #expect(
                rows.contains {
                    $0.contains(">page-worker<") && $0.contains("state idle")
                        && $0.contains(">\(ProcessInfo.processInfo.hostName)<") && $0.contains(">key worker<")
                })
            // Bars of the few minutes that there were.
            #expect(page.document.contains(">5 minutes ago<"))
            #expect(rows.contains { $0.contains("&lt;b&gt;bold&lt;/b&gt;") && $0.contains("bad.jpg") })
            #expect(page.document.contains(#"class="succeeded""#) && page.document.contains(">healthy<"))
            // Names are text, whatever they hold.
            #expect(!page.document.contains("<b>bold</b>"))

            let light = try Chromium(http).png(isDark: false)
            let dark = try Chromium(http).png(isDark: true)
            #expect(light.count > 10_000 && dark.count > 10_000 && light != dark)
        }

        /// Four questions, and one about a file that is no picture.
        private func submit(_ coordinator: KeyedCoordinator) async throws -> (RunningWinnow.End, RunningWinnow) {
            let pictures = try TemporaryDirectory()
            try FileManager.default.copyItem(
                at: URL(fileURLWithPath: Demo.folder + "/images"), to: pictures.file("images"))
            try Data("no picture".utf8).write(to: pictures.file("bad.jpg"))
            var items = try Demo.items(4)
            items.append(TestBatch.Item(id: "<b>bold</b>", image: "bad.jpg", prompt: "What?"))
            let batch = try TestBatch(items, maxTokens: 2, images: pictures.url.path)
            let worker = try RunningWinnow([
                "worker", "--connect", coordinator.endpoints.workers, "--name", "page-worker", "--threads", "1",
                "--key",
                coordinator.keyFile("worker"),
            ])
            let end = try await winnow(
                "submit", batch.path, "--wait", "--connect", coordinator.endpoints.clients, "--key",
                coordinator.keyFile("client"), "--output", "json")
            return (end, worker)
        }
    }
}
