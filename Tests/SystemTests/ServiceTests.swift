import Foundation
import Glibc
import Testing

extension BlackBox {
    /// Coordinator, workers and clients as separate processes.
    @Suite struct ServiceTests {
        @Test func aBatchGoesFromSubmitToWait() async throws {
            let services = try await Services()
            let workers = try ["one", "two"].map { try services.startWorker($0) }
            try await eventually("both workers are there") { try await services.status("").workers.count == 2 }
            let batch = try TestBatch(Demo.items(24), maxTokens: 4)
            let submitted = try await services.submit(batch)
            #expect(submitted.batch == "batch" && submitted.items == 24 && submitted.results == batch.results)

            let wait = try await services.ask("wait", submitted.batch, "--output", "json")
            #expect(wait.code == 0, "\(wait)")
            let ended = try Services.Batch(printed: wait.output)
            #expect(ended.state == "finished" && ended.succeeded == 24 && ended.running + ended.waiting == 0)

            let status = try await services.status(submitted.batch, items: true)
            let items = try #require(status.items)
            #expect(items.map(\.item) == batch.items.map(\.id))
            #expect(items.allSatisfy { $0.state == "succeeded" && $0.visualTokens == 192 && $0.attempts == 1 })
            #expect(Set(status.workers.map(\.worker)) == ["one", "two"])
            #expect(status.workers.map(\.finished).reduce(0, +) == 24)
            try BlackBox.checkRows(of: items, in: batch.results)

            let table = try await services.ask("status", submitted.batch, "--items")
            #expect(table.code == 0 && table.output.contains("finished") && table.output.contains("two"))
            #expect(batch.items.allSatisfy { table.output.contains($0.id) })

            // The same batch again is the same batch, unless another one is wanted.
            #expect(try await services.submit(batch).batch == submitted.batch)
            let again = try Services.Submitted(
                printed: try await services.ask("submit", batch.path, "--new", "--output", "json").output)
            #expect(again.batch != submitted.batch && again.results == batch.results + "-2")
            let second = try await services.ask("wait", again.batch)
            #expect(second.code == 0 && second.output.contains(again.batch), "\(second)")
            #expect(workers.allSatisfy { $0.isRunning })
        }

        @Test func cancelStopsWhatHasNotRun() async throws {
            let services = try await Services()
            let batch = try TestBatch(Demo.items(50), maxTokens: 4)
            let submitted = try await services.submit(batch)
            let cancel = try await services.ask("cancel", submitted.batch, "--reason", "a test", "--output", "json")
            #expect(cancel.code == 0 && cancel.output.contains("50"), "\(cancel)")
            let wait = try await services.ask("wait", submitted.batch, "--output", "json")
            #expect(wait.code == 4, "\(wait)")
            #expect(try Services.Batch(printed: wait.output).cancelled == 50)
            for command in ["cancel", "status", "wait", "forget"] {
                let unknown = try await services.ask(command, "nothing")
                #expect(unknown.code == 2 && unknown.errors.contains("nothing"), "\(command): \(unknown)")
            }
        }

        @Test func anEndedBatchIsForgottenAndItsResultsStay() async throws {
            let services = try await Services()
            let batch = try TestBatch(Demo.items(200), method: "none")
            let submitted = try await services.submit(batch)
            let early = try await services.ask("forget", submitted.batch)
            #expect(early.code == 2 && early.errors.contains("has not ended"), "\(early)")
            let worker = try services.startNullWorker("one")
            #expect(try await services.ask("wait", submitted.batch).code == 0)
            let items = try #require(try await services.status(submitted.batch, items: true).items)
            let forgotten = try await services.ask("forget", submitted.batch)
            #expect(forgotten.code == 0 && forgotten.output.contains(submitted.results), "\(forgotten)")
            #expect(try await services.status("").batches.isEmpty)
            try BlackBox.checkRows(of: items, in: batch.results)
            let doctor = try await winnow("doctor", "--store", services.store)
            #expect(doctor.code == 0 && doctor.output.contains("0 batches"), "\(doctor)")
            // Its folder is taken, and what is asked for again is another batch with another folder.
            let taken = try await services.ask("submit", batch.path)
            #expect(taken.code == 2 && taken.errors.contains("forgotten"), "\(taken)")
            let again = try Services.Submitted(
                printed: try await services.ask("submit", batch.path, "--new", "--output", "json").output)
            #expect(again.results == batch.results + "-2")
            #expect(try await services.ask("wait", again.batch).code == 0)
            #expect(worker.isRunning)
        }

        @Test func aTerminatedWorkerFinishesWhatItRuns() async throws {
            let services = try await Services()
            let batch = try TestBatch(Demo.items(300), maxTokens: 4)
            let first = try services.startWorker("first")
            let submitted = try await services.submit(batch)
            try await services.waitForSuccesses(10, of: submitted.batch)
            first.kill(SIGTERM)
            let end = try await first.end()
            #expect(end.code == 0, "\(end)")
            let left = try #require(try await services.status(submitted.batch).batches.first)
            #expect(left.running == 0 && left.failed == 0 && left.succeeded >= 10 && left.waiting > 0)

            let second = try services.startWorker("second")
            let wait = try await services.ask("wait", submitted.batch)
            #expect(wait.code == 0, "\(wait)")
            let items = try #require(try await services.status(submitted.batch, items: true).items)
            #expect(items.allSatisfy { $0.state == "succeeded" })
            try BlackBox.checkRows(of: items, in: batch.results)
            #expect(second.isRunning)
        }

        @Test func clientsWithoutACoordinatorSaySo() async throws {
            let end = try await winnow("status", "--connect", "tcp://127.0.0.1:1", "--patience", "0.5")
            #expect(end.code == 1 && end.errors.contains("tcp://127.0.0.1:1"), "\(end)")
        }
    }

    /// Every item has exactly one committed row, and it is where the coordinator says.
    static func checkRows(of items: [Services.Item], in results: String) throws {
        #expect(Set(items.map(\.item)).count == items.count)
        #expect(Set(items.map { "\($0.shard) \($0.row)" }).count == items.count)
        var shards: [String: Shard] = [:]
        for item in items {
            let shard = try shards[item.shard] ?? Shard("\(results)/\(item.shard)")
            shards[item.shard] = shard
            let row = try #require(shard.rows.indices.contains(item.row) ? shard.rows[item.row] : nil, "\(item)")
            #expect(row.id == item.item && row.answer == item.answer && row.failed == (item.state == "failed"))
        }
    }
}
