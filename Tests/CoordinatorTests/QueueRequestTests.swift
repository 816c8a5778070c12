import Coordinator
import Foundation
import JobModel
import TestSupport
import Testing
import WireProtocol

/// Requests that steer the queue, each as a client sends it and with what a worker sees of it.
@Suite(.timeLimit(.minutes(2))) struct QueueRequestTests {
    let directory: TemporaryDirectory
    var store: URL { directory.file("jobs.sqlite") }

    init() throws { directory = try TemporaryDirectory() }

    private func items(_ range: ClosedRange<Int>) -> [String] {
        range.map { #"{"id":"q\#($0)","image":"i.jpg","prompt":"?"}"# }
    }

    private func open(
        _ client: borrowing ClientPeer, fingerprint: String = "m", force: Bool = false,
        _ change: (inout BatchDescription) -> Void = { _ in }
    ) throws -> WireToClient {
        var description = BatchDescription(
            name: "demo", model: "/model", items: "/items.jsonl", images: "/pictures",
            results: directory.file("results/demo").path)
        change(&description)
        let json = try description.json()
        return try client.ask {
            $0.openBatch.name = "demo"
            $0.openBatch.description_p = json
            $0.openBatch.modelFingerprint = fingerprint
            $0.openBatch.force = force
        }
    }

    @Test func theSameManifestAgainResumesItsBatch() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        #expect(try open(client).batchOpened.resumed == false)
        _ = try client.add(items(1...2), to: "demo")
        // The submitter was killed here, and begins anew.
        let again = try open(client).batchOpened
        #expect(again.resumed && again.batch == "demo" && again.total == 2)
        let added = try client.add(items(1...4), to: "demo").itemsAdded
        #expect(added.added == 2 && added.known == 2 && added.total == 4)
        #expect(try client.ask { $0.closeBatch.batch = "demo" }.batchClosed.total == 4)

        // Once more, when all is done: nothing runs twice, and what is new runs.
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        _ = try worker.report(ShardPath.a, batch: "demo", worker.take(4).map(\.lease))
        #expect(try client.status("demo").state == "finished")
        #expect(try open(client) { $0.queue.priority = 7 }.batchOpened.resumed)
        #expect(try client.add(items(1...4), to: "demo").itemsAdded.known == 4)
        #expect(try client.status("demo").state == "finished")
        #expect(try client.add(items(5...5), to: "demo").itemsAdded.added == 1)
        let status = try client.status("demo")
        #expect(status.state == "running" && status.waiting == 1 && status.priority == 7)
        try coordinator.stop()
    }

    @Test func whatAsksForSomethingElseIsRefusedUnlessForced() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        _ = try open(client)
        let changed = try open(client) { $0.generation.maxTokens = 9 }.refusal
        #expect(changed.code == "changed-batch" && changed.message.contains("max_tokens: 64 → 9"))
        let model = try open(client, fingerprint: "other").refusal
        #expect(model.code == "changed-batch" && model.message.contains("/model"))
        #expect(try open(client, force: true) { $0.generation.maxTokens = 9 }.batchOpened.resumed)
        _ = try client.add(items(1...1), to: "demo")
        _ = try client.ask { $0.closeBatch.batch = "demo" }
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        try worker.send { $0.credit.freeSlots = 1 }
        let settings = try worker.receive().assignments.settings
        #expect(try BatchDescription(json: settings.first?.description_p ?? "").generation.maxTokens == 9)
        try coordinator.stop()
    }

    @Test func aStatusLeavesWorkersOutIfItIsAskedTo() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(2, in: directory)
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        for batchesOnly in [false, true] {
            let status = try client.ask {
                $0.status.batch = batch
                $0.status.batchesOnly = batchesOnly
            }.status
            #expect(status.batches.map(\.batch) == [batch] && status.present == 1)
            #expect(status.workers.map(\.worker) == (batchesOnly ? [] : ["ann"]))
        }
        try worker.send { $0.goodbye = WireGoodbye() }
        while try client.ask({ $0.status.batch = batch }).status.present > 0 {}
        try coordinator.stop()
    }

    @Test func whatIsForcedOnABatchThatIsOverCountsFromItsNextJobOn() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        _ = try open(client) { $0.queue.retries = 0 }
        _ = try client.add(items(1...2), to: "demo")
        _ = try client.ask { $0.closeBatch.batch = "demo" }
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        let taken = try worker.take(2).map(\.lease)
        _ = try worker.report(ShardPath.a, batch: "demo", [taken[0]])
        try worker.send {
            $0.failed.attempts = [WireFailedAttempt()]
            $0.failed.attempts[0].lease = taken[1]
            $0.failed.attempts[0].errorClass = .input
            $0.failed.attempts[0].error = "no picture"
        }
        func tokens() throws -> Int {
            let file = directory.file("results/demo/batch.yaml").path
            let line = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n").first {
                $0.contains("max_tokens:")
            }
            return line.flatMap { $0.split(separator: " ").last }.flatMap { Int($0) } ?? 0
        }
        // The failure is one message and the row another: it is over when both are taken.
        while try client.status("demo").state != "finished" {}
        let asked = try tokens()
        #expect(try open(client, force: true) { $0.generation.maxTokens = 9 }.batchOpened.resumed)
        #expect(try client.add(items(1...2), to: "demo").itemsAdded.known == 2)
        #expect(try tokens() == asked)
        #expect(
            try client.ask {
                $0.retry.batch = "demo"
                $0.retry.failed = true
            }.retried.retried == 1)
        #expect(try tokens() == 9)
        #expect(try open(client) { $0.generation.maxTokens = 9 }.batchOpened.resumed)
        try coordinator.stop()
    }

    @Test func aPausedBatchWaits() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(2, in: directory)
        #expect(try client.ask { $0.pause.batch = "" }.paused.batches == [batch])
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        try worker.send { $0.credit.freeSlots = 2 }
        #expect(try worker.next(within: .milliseconds(200)) == nil)
        #expect(try client.status(batch).isPaused)
        let explained = try client.ask {
            $0.explain.batch = batch
            $0.explain.item = "q1"
        }.explained
        #expect(explained.state == "waiting" && explained.explanation.contains("paused"))
        let answer = try client.ask {
            $0.pause.batch = batch
            $0.pause.resume = true
        }
        #expect(answer.paused.batches == [batch])
        #expect(try worker.receive().assignments.assignments.count == 2)
        try coordinator.stop()
    }

    @Test func anAllocationQueueThatIsRemovedIsNamedNoMore() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients),
            other = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(2, in: directory)
        func report(_ client: borrowing ClientPeer, _ names: [String]) throws {
            let queues = names.map { name in
                var queue = WireAllocationQueue()
                queue.name = name
                queue.workers = "winnow-\(name)-abcde-"
                queue.takesJobsSeconds = 600
                queue.standing = "it is paused"
                return queue
            }
            let answer = try client.ask { $0.allocations.queues = queues }
            #expect(answer.allocations.demands.count == names.count)
        }
        func named(_ client: borrowing ClientPeer) throws -> [String] {
            let explanation = try client.ask {
                $0.explain.batch = batch
                $0.explain.item = "q1"
            }.explained.explanation
            return ["left", "right", "far"].filter { explanation.contains("allocation queue \($0)") }
        }
        try report(client, ["left", "right"])
        try report(other, ["far"])
        #expect(try named(client) == ["left", "right", "far"])
        try report(client, ["right"])
        #expect(try named(client) == ["right", "far"])
        try report(client, [])
        #expect(try named(client) == ["far"], "what another process serves is there")
        try coordinator.stop()
    }

    @Test func failuresRunAgainAndAreExplained() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        _ = try open(client) { $0.queue.retries = 0 }
        _ = try client.add(items(1...2), to: "demo")
        _ = try client.ask { $0.closeBatch.batch = "demo" }
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        let taken = try worker.take(2)
        #expect(taken.allSatisfy { $0.retriable == 0 })
        let leases = taken.map(\.lease)
        try worker.send {
            $0.failed.attempts = [WireFailedAttempt()]
            $0.failed.attempts[0].lease = leases[0]
            $0.failed.attempts[0].errorClass = .resource
            $0.failed.attempts[0].error = "no memory"
        }
        _ = try worker.report(ShardPath.a, batch: "demo", [leases[1]])
        let status = try client.status("demo")
        #expect(status.failed == 1 && status.succeeded == 1 && status.state == "finished")
        let explained = try client.ask {
            $0.explain.batch = "demo"
            $0.explain.item = "q1"
        }.explained
        #expect(explained.state == "failed" && explained.explanation.contains("no memory") && explained.failures == 1)
        #expect(explained.attempts.map(\.worker) == ["ann"] && explained.attempts.map(\.errorClass) == ["resource"])

        #expect(try client.ask { $0.retry.batch = "demo" }.retried.retried == 0)
        let retried = try client.ask {
            $0.retry.batch = "demo"
            $0.retry.failed = true
        }
        #expect(retried.retried.retried == 1)
        let again = try worker.take(1).map(\.lease)
        #expect(again.map(\.job) == [leases[0].job] && again.map(\.epoch) == [3])
        #expect(try worker.report(ShardPath.b, batch: "demo", again).committed == [leases[0].job])
        #expect(try client.status("demo").succeeded == 2)
        for code in [("demo", "nothing", "no-such-item"), ("nobody", "q1", "no-such-batch")] {
            let refusal = try client.ask {
                $0.explain.batch = code.0
                $0.explain.item = code.1
            }.refusal
            #expect(refusal.code == code.2)
        }
        try coordinator.stop()
    }

    @Test func aModelThatDoesNotLoadIsSomebodyElsesChance() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(1, in: directory)
        let ann = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        let lease = try ann.take(1)[0].lease
        try ann.send {
            $0.returned.leases = [lease]
            $0.returned.reason = "no weights"
            $0.returned.unfit = true
        }
        try ann.send { $0.credit.freeSlots = 1 }
        #expect(try ann.next(within: .milliseconds(200)) == nil)
        let answer = try client.ask { $0.status.batch = batch }.status
        #expect(answer.batches[0].trouble == "no weights" && answer.batches[0].failed == 0)
        #expect(answer.workers[0].note.contains("no weights"))
        // Whoever has put it right need not wait.
        #expect(try client.ask { $0.wake.worker = "carl" }.refusal.code == "no-such-worker")
        #expect(try client.ask { $0.wake.worker = "" }.woken.workers == ["ann"])
        let again = try #require(try ann.next(within: .seconds(10)))
        #expect(again.assignments.assignments.map(\.lease.epoch) == [2])
        #expect(try client.ask { $0.wake.worker = "ann" }.woken.workers == [])
        try ann.send {
            $0.returned.leases = [again.assignments.assignments[0].lease]
            $0.returned.reason = "no weights"
            $0.returned.unfit = true
        }
        let bob = try WorkerPeer.joined(coordinator.endpoints.workers, "bob")
        #expect(try bob.take(1).map(\.lease.epoch) == [3])
        try coordinator.stop()
    }

    @Test func workersAreDrainedByName() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        let ann = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        let bob = try WorkerPeer.joined(coordinator.endpoints.workers, "bob")
        #expect(try client.ask { $0.drain.worker = "carl" }.refusal.code == "no-such-worker")
        #expect(try client.ask { $0.drain.worker = "ann" }.draining.workers == ["ann"])
        #expect(try ann.receive().drain == WireDrain())
        #expect(try client.ask { $0.drain.worker = "" }.draining.workers == ["ann", "bob"])
        #expect(try bob.receive().drain == WireDrain())
        try coordinator.stop()
    }

    @Test func itemsAreFilteredByStateAndLabel() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        _ = try open(client) { $0.queue.labels = ["project": "x"] }
        _ = try client.add(
            items(1...2) + [#"{"id":"v","image":"i.jpg","prompt":"?","labels":{"split":"val"}}"#], to: "demo")
        let found = try client.ask {
            $0.items.batch = "demo"
            $0.items.labels = ["split": "val"]
            $0.items.states = ["waiting"]
        }.items.items
        #expect(found.map(\.item) == ["v"])
        let refusal = try client.ask {
            $0.items.batch = "demo"
            $0.items.states = ["sleeping"]
        }.refusal
        #expect(refusal.code == "bad-state")
        #expect(try client.status("demo").labels == ["project": "x"])
        try coordinator.stop()
    }
}
