import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// One batch whose results cannot be written, among others.
    @Suite struct UnwritableResultsTests {
        private struct Explanation: Decodable {
            let explanation: String
            let losses, failures: Int
        }

        private struct Noted: Decodable {
            let worker, state, note, host: String
        }

        private struct Troubled: Decodable {
            struct Batch: Decodable { let batch, trouble: String }
            let batches: [Batch]
        }

        @Test("43: a results folder that workers may not write is the trouble of its batch, and of nobody else")
        func theBatchWaitsAndTheWorkersGoOn() async throws {
            let services = try await Services()
            let bad = try TestBatch(Demo.items(30), method: "none", lines: "name: bad")
            let submitted = try await services.submit(bad)
            // Rights do not stop a test that runs as root; files in the place of folders stop everybody.
            let obstacles = ["pending", "tmp"].map { URL(fileURLWithPath: "\(submitted.results)/\($0)") }
            for obstacle in obstacles {
                try FileManager.default.removeItem(at: obstacle)
                try Data().write(to: obstacle)
            }
            let workers = try ["one", "two"].map { try services.startNullWorker($0) }
            try await eventually("every worker has tried") {
                let end = try await services.ask("workers", "--output", "json")
                let notes = try [Noted](printed: end.output)
                return notes.count == 2
                    && notes.allSatisfy {
                        $0.note.contains(submitted.results) && $0.host == ProcessInfo.processInfo.hostName
                    }
            }
            // What has been computed already goes back only when its shard is due.
            try await eventually("the batch's trouble is named") {
                let status = try await services.ask("status", "bad", "--output", "json")
                let trouble = try Troubled(printed: status.output).batches.first?.trouble ?? ""
                return trouble.contains(submitted.results) && trouble.contains("cannot be written")
            }
            let asked = try await services.ask("explain", "bad", bad.items[0].id, "--output", "json")
            let explained = try Explanation(printed: asked.output)
            #expect(explained.explanation.contains(submitted.results), "\(explained)")
            #expect(explained.losses == 0 && explained.failures == 0)

            let good = try TestBatch(Demo.items(60), method: "none", lines: "name: good")
            _ = try await services.submit(good)
            let wait = try await services.ask("wait", "good")
            #expect(wait.code == 0, "\(wait)")
            #expect(workers.allSatisfy { $0.isRunning })

            for obstacle in obstacles { try FileManager.default.removeItem(at: obstacle) }
            let woken = try await services.ask("retry", "--workers")
            #expect(woken.code == 0 && woken.output.hasPrefix("try again: ") || woken.output == "no worker rests\n")
            #expect(try await services.ask("retry", "--workers", "three").code == 2)
            let end = try await services.ask("wait", "bad", "--output", "json")
            #expect(end.code == 0, "\(end)")
            let items = try #require(try await services.status("bad", items: true).items)
            #expect(items.allSatisfy { $0.state == "succeeded" })
            try BlackBox.checkRows(of: items, in: submitted.results)
            #expect(workers.allSatisfy { $0.isRunning })
        }
    }
}
