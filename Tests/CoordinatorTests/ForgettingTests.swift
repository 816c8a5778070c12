import Coordinator
import Foundation
import JobModel
import Scheduling
import TestSupport
import Testing
import WireProtocol

/// Batches that are taken out of the coordinator, as clients and workers see it.
@Suite(.timeLimit(.minutes(2))) struct ForgettingTests {
    let directory: TemporaryDirectory
    var store: URL { directory.file("jobs.sqlite") }

    init() throws { directory = try TemporaryDirectory() }

    @Test func aBatchThatHasNotEndedIsRefusedByName() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(2, in: directory)
        let refusal = try client.ask { $0.forget.batch = batch }.refusal
        #expect(refusal.code == "batch-not-ended" && refusal.message.contains("winnow cancel \(batch)"), "\(refusal)")
        #expect(try client.status(batch).waiting == 2)
        #expect(try client.ask { $0.forget.batch = "nothing" }.refusal.code == "no-such-batch")
        try coordinator.stop()
    }

    @Test func aForgottenBatchStaysForgottenAndItsNameIsFree() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(3, in: directory)
        let kept = try client.submit(2, name: "kept", in: directory)
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        let taken = try worker.take(4).filter { $0.batch == batch }.map(\.lease)
        _ = try worker.report(ShardPath.a, batch: batch, [taken[0]])
        _ = try client.ask { $0.cancel.batch = batch }
        let results = try client.status(batch).results
        let answer = try client.ask { $0.forget.batch = batch }.forgotten
        #expect(answer.jobs == 3 && answer.results == results)
        #expect(try client.ask { $0.status.batch = batch }.refusal.code == "no-such-batch")
        #expect(try client.ask { $0.status.batch = "" }.status.batches.map(\.batch) == [kept])
        #expect(FileManager.default.fileExists(atPath: results + "/batch.yaml"))
        // A report of it counts nowhere.
        #expect(try worker.report(ShardPath.b, batch: batch, [taken[1]]).committed.isEmpty)
        try coordinator.stop()

        let next = try RunningCoordinator(store: store)
        let again = try ClientPeer(next.endpoints.clients)
        #expect(try again.ask { $0.status.batch = "" }.status.batches.map(\.batch) == [kept])
        // Its folder holds its results, so that another batch of the name needs another one.
        let other = directory.file("results/other").path
        for (folder, isFree) in [(results, false), (other, true)] {
            let description = BatchDescription(
                name: batch, model: "/other", items: "/items.jsonl", images: "/pictures", results: folder)
            let json = try description.json()
            let opened = try again.ask {
                $0.openBatch.name = batch
                $0.openBatch.description_p = json
            }
            if isFree {
                #expect(
                    opened.batchOpened.batch == batch && !opened.batchOpened.resumed && opened.batchOpened.total == 0)
            } else {
                #expect(opened.refusal.code == "results-taken" && opened.refusal.message.contains("forgotten"))
            }
        }
        _ = try again.add([#"{"id":"q1","image":"i.jpg","prompt":"?"}"#], to: batch)
        _ = try again.ask { $0.closeBatch.batch = batch }
        let bob = try WorkerPeer.joined(next.endpoints.workers, "bob")
        let fresh = try bob.take(1)
        #expect(fresh.allSatisfy { lease in !taken.contains { $0.job == lease.lease.job } })
        try next.stop()
    }

    @Test func aWorkerIsToldWhatABatchOfAFormerNameAsksFor() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        for folder in ["one", "two"] {
            let description = BatchDescription(
                name: "demo", model: "/\(folder)", items: "/items.jsonl", images: "/pictures",
                results: directory.file("results/\(folder)").path)
            let json = try description.json()
            #expect(
                try client.ask {
                    $0.openBatch.name = "demo"
                    $0.openBatch.description_p = json
                }.batchOpened.batch == "demo")
            _ = try client.add([#"{"id":"q1","image":"i.jpg","prompt":"?"}"#], to: "demo")
            _ = try client.ask { $0.closeBatch.batch = "demo" }
            try worker.send { $0.credit.freeSlots = 1 }
            let assigned = try worker.receive().assignments
            let settings = try #require(assigned.settings.first)
            #expect(try BatchDescription(json: settings.description_p).model == "/\(folder)")
            let shard = folder == "one" ? ShardPath.a : ShardPath.b
            #expect(try worker.report(shard, batch: "demo", assigned.assignments.map(\.lease)).committed.count == 1)
            #expect(try client.ask { $0.forget.batch = "demo" }.forgotten.jobs == 1)
        }
        try coordinator.stop()
    }

    @Test func namesOfLostWorkersAreForgotten() throws {
        let coordinator = try RunningCoordinator(store: store, heartbeat: .milliseconds(50)) {
            $0.scheduling.memory = .milliseconds(100)
        }
        let client = try ClientPeer(coordinator.endpoints.clients)
        do { _ = try WorkerPeer.joined(coordinator.endpoints.workers, "ann") }
        func names() throws -> [String] { try client.ask { $0.status.batch = "" }.status.workers.map(\.worker) }
        let end = ContinuousClock.now + .seconds(60)
        while try !names().isEmpty, .now < end { usleep(10_000) }
        #expect(try names().isEmpty)
        try coordinator.stop()
    }
}
