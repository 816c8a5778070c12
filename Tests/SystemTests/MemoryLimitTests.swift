import Foundation
import TestSupport
import Testing

extension BlackBox {
    /// `--memory`: models that do not fit are refused by name and number, and those that fit answer the same.
    @Suite struct MemoryLimitTests {
        private struct Worker: Decodable {
            let worker, note: String
            let finished: Int
        }

        private struct Explanation: Decodable {
            struct Attempt: Decodable { let worker, reason: String }
            let state, explanation: String
            let ended: [Attempt]
        }

        /// Whether a text names what a model needs and what there is.
        private func namesBothNumbers(_ text: String) -> Bool {
            text.contains(/needs \d+\.\d [MG]B/) && text.contains(/has \d+\.\d [MG]B left/)
        }

        @Test(arguments: [1, 2]) func aBatchThatDoesNotFitIsRefusedBeforeItStarts(workers: Int) async throws {
            let batch = try TestBatch(Demo.items(3), maxTokens: 2)
            let before = try FileManager.default.contentsOfDirectory(atPath: batch.folder.url.path).sorted()
            let end = try await winnow("run", batch.path, "--workers", "\(workers)", "--memory", "1MB")
            #expect(end.code == 2 && end.output.isEmpty && namesBothNumbers(end.errors), "\(end)")
            #expect(end.errors.contains(Demo.model), "\(end)")
            #expect(workers == 1 || end.errors.contains("each of \(workers) workers"), "\(end)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: batch.folder.url.path).sorted() == before)
        }

        /// With room for one prompt at a time, beside as much as the machine has.
        @Test func littleMemoryChangesNoAnswer() async throws {
            struct Model: Decodable {
                struct Need: Decodable {
                    let format: String
                    let least: Int
                }
                let formats: [Need]
            }
            let show = try await winnow("model", "show", Demo.model, "--output", "json")
            let model = try Model(printed: show.output)
            let least = try #require(model.formats.first { $0.format == "bf16" }?.least)
            let batch = try TestBatch(Demo.items(8, every: 3), maxTokens: 4)
            let roomy = try await winnow("run", batch.path, "--output", "quiet")
            let tight = try await winnow("run", batch.path, "--new", "--memory", "\(least)", "--output", "quiet")
            try #require(roomy.code == 0 && tight.code == 0, "\(roomy)\n\(tight)")
            let answers = try AnsweredTokens(results: batch.results).answers
            #expect(answers.count == 8)
            #expect(try AnsweredTokens(results: batch.results + "-2").answers == answers)
        }

        @Test func aWorkerWithoutRoomLeavesTheBatchToAnother() async throws {
            let services = try await Services()
            let small = try RunningWinnow([
                "worker", "--connect", services.endpoints.workers, "--name", "small", "--threads", "1", "--memory",
                "1MB", "--spool", "\(services.store)-spool",
            ])
            let batch = try TestBatch(Demo.items(6), maxTokens: 4)
            let submitted = try await services.submit(batch)
            let first = try #require(batch.items.first).id
            // Nobody else is there: the worker, the batch and each job say why nothing runs.
            try await eventually("the small worker hands jobs back") {
                try [Worker](printed: try await services.ask("workers", "--output", "json").output)
                    .contains { $0.worker == "small" && namesBothNumbers($0.note) && $0.note.contains(submitted.batch) }
            }
            let table = try await services.ask("workers")
            #expect(table.output.contains("small") && table.output.contains("the model needs"), "\(table)")
            try await eventually("the batch says that it is stuck") {
                let status = try await services.ask("status", submitted.batch)
                return status.output.contains("no worker can run it") && namesBothNumbers(status.output)
            }
            let stuck = try await explain(first, submitted.batch, services)
            #expect(stuck.state == "waiting" && namesBothNumbers(stuck.explanation), "\(stuck)")

            let large = try services.startWorker("large")
            let wait = try await services.ask("wait", submitted.batch, "--output", "json")
            #expect(wait.code == 0, "\(wait)")
            let ended = try Services.Batch(printed: wait.output)
            #expect(ended.state == "finished" && ended.succeeded == 6 && ended.failed == 0)
            let workers = try [Worker](printed: try await services.ask("workers", "--output", "json").output)
            #expect(workers.map(\.worker) == ["large", "small"] && workers.map(\.finished) == [6, 0])
            // The reason outlives the batch in what is known of each attempt.
            let done = try await explain(first, submitted.batch, services)
            #expect(done.state == "succeeded", "\(done)")
            #expect(done.ended.contains { $0.worker == "small" && namesBothNumbers($0.reason) }, "\(done)")
            #expect(try AnsweredTokens(results: batch.results).answers.count == 6)
            #expect(small.isRunning && large.isRunning)
        }

        private func explain(_ item: String, _ batch: String, _ services: Services) async throws -> Explanation {
            try Explanation(printed: try await services.ask("explain", batch, item, "--output", "json").output)
        }
    }
}
