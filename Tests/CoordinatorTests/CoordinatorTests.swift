import Coordinator
import Foundation
import JobModel
import JobStore
import TestSupport
import Testing
import WireProtocol
import ZeroMQ

@Suite(.timeLimit(.minutes(2))) struct CoordinatorTests {
    let directory: TemporaryDirectory
    var store: URL { directory.file("jobs.sqlite") }

    init() throws { directory = try TemporaryDirectory() }

    @Test func jobsAboutNoPictureAreHandedOutLikeOthers() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        _ = try client.ask { $0.hello = .client(session: "c") }
        let batch = try client.open("demo", in: directory)
        #expect(try client.add([#"{"id":"a","image":null,"prompt":"What?"}"#], to: batch).itemsAdded.total == 1)
        _ = try client.ask { $0.closeBatch.batch = batch }
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        try worker.send { $0.credit.freeSlots = 1 }
        let assignment = try #require(try worker.receive().assignments.assignments.first)
        #expect(try Item(json: assignment.item) == Item(id: ItemID("a"), images: [], prompt: "What?"))
    }

    /// Either side takes the one port for the other, and is told where to go.
    @Test func whoeverComesToTheOtherPortIsToldSo() throws {
        let coordinator = try RunningCoordinator(store: store)
        let (workers, clients) = try (coordinator.endpoints.workers, coordinator.endpoints.clients)
        let client = try ClientPeer(workers)
        try client.send { $0.hello = .client(session: "c") }
        let answer = try client.receive()
        #expect(answer.refusal.code == WireRefusal.otherPortCode && answer.refusal.message.contains(clients))
        let worker = try WorkerPeer(clients)
        try worker.send { $0.hello = .worker("ann", session: "s", capacity: 8, held: []) }
        let refusal = try worker.receive().refusal
        #expect(refusal.code == WireRefusal.otherPortCode && refusal.message.contains(workers))
    }

    @Test func runsABatchFromSubmissionToResults() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        let welcome = try client.ask { $0.hello = .client(session: "c") }.welcome
        #expect(welcome.protocolVersion == ProtocolVersion.current)
        let batch = try client.submit(4, in: directory)
        #expect(batch == "demo")
        #expect(try client.status(batch).waiting == 4)

        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        try worker.send { $0.credit.freeSlots = 2 }
        let message = try worker.receive().assignments
        #expect(message.settings.map(\.batch) == ["demo"])
        let settings = try BatchDescription(json: message.settings.first?.description_p ?? "")
        #expect(settings.results == directory.file("results/demo").path)
        #expect(message.assignments.map(\.lease.epoch) == [1, 1])
        let first = try #require(message.assignments.first)
        #expect(try Item(json: first.item).images == ["i0.jpg"])
        #expect(try Item(json: first.item).id == ItemID("q1"))
        #expect(try client.status(batch).running == 2)

        let done = try worker.report(ShardPath.a, batch: batch, message.assignments.map(\.lease))
        #expect(done.committed == message.assignments.map(\.lease.job))
        #expect(done.stale == [])
        // The settings of a batch are sent once.
        try worker.send { $0.credit.freeSlots = 2 }
        let rest = try worker.receive().assignments
        #expect(rest.settings.isEmpty)
        _ = try worker.report(ShardPath.b, batch: batch, rest.assignments.map(\.lease), error: "bad picture")

        let status = try client.status(batch)
        #expect(status.state == "finished")
        #expect([status.succeeded, status.failed, status.total] == [2, 2, 4])
        #expect(status.results == directory.file("results/demo").path)
        let items = try client.items(batch)
        #expect(items.map(\.item) == ["q1", "q2", "q3", "q4"])
        #expect(items.map(\.state) == ["succeeded", "succeeded", "failed", "failed"])
        #expect(items.map(\.shard) == [ShardPath.a, ShardPath.a, ShardPath.b, ShardPath.b])
        #expect(items.map(\.row) == [0, 1, 0, 1])
        #expect(items[3].error == "bad picture")
        #expect(items[0].summary.visualTokens == 192)
        #expect(try client.items(batch, after: 2, limit: 1).map(\.ordinal) == [3])
        let yaml = try String(contentsOf: directory.file("results/demo/batch.yaml"), encoding: .utf8)
        #expect(yaml.contains("max_tokens: 64"))
        let workers = try client.ask { $0.status.batch = "" }.status.workers
        #expect(workers.map(\.worker) == ["ann"])
        #expect(workers.map(\.finished) == [4])
        try coordinator.stop()
    }

    @Test func aSilentWorkersJobRunsElsewhereAndItsLateResultIsStale() throws {
        let coordinator = try RunningCoordinator(store: store, heartbeat: .seconds(1))
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(1, in: directory)
        let ann = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        let old = try #require(try ann.take(1).first)
        #expect(old.lease.epoch == 1)

        let bob = try WorkerPeer.joined(coordinator.endpoints.workers, "bob")
        try bob.send { $0.credit.freeSlots = 1 }
        var new: WireAssignment?
        for _ in 0..<100 where new == nil {
            try bob.send { $0.heartbeat = WireHeartbeat() }
            while let message = try bob.next(within: .milliseconds(100)) {
                if case .assignments(let assignments) = message.kind { new = assignments.assignments.first }
            }
        }
        let current = try #require(new)
        #expect(current.lease.job == old.lease.job)
        #expect(current.lease.epoch == 2)

        // Ann was given up: she must say hello again, and what she did no longer counts.
        try ann.send { $0.heartbeat.held = [old.lease] }
        #expect(try ann.receive().helloAgain == WireHelloAgain())
        try ann.hello("ann", held: [old.lease])
        #expect(try ann.receive().heartbeatAnswer.revoked.map(\.epoch) == [1])
        let late = try ann.report(ShardPath.a, batch: batch, [old.lease])
        #expect(late.stale == [old.lease.job])
        #expect(late.committed == [])
        #expect(try bob.report(ShardPath.b, batch: batch, [current.lease]).committed == [old.lease.job])
        let item = try #require(try client.items(batch).first)
        #expect(item.shard == ShardPath.b)
        #expect(item.attempts == 2)
        try coordinator.stop()
    }

    @Test func aRestartLosesNothing() throws {
        var coordinator = try RunningCoordinator(store: store)
        var client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(6, in: directory)
        let half = try client.open("half", in: directory)
        _ = try client.add([#"{"id":"x","image":"x.jpg","prompt":"?"}"#], to: half)
        var worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        let taken = try worker.take(3).map(\.lease)
        #expect(try worker.report(ShardPath.a, batch: batch, Array(taken.prefix(1))).committed.count == 1)
        try coordinator.stop()

        coordinator = try RunningCoordinator(store: store)
        client = try ClientPeer(coordinator.endpoints.clients)
        let status = try client.status(batch)
        #expect([status.succeeded, status.running, status.waiting] == [1, 2, 3])
        // The worker kept two jobs, and the answer to its report was lost: it sends it again.
        worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann", held: Array(taken.dropFirst()))
        let again = try worker.report(ShardPath.a, batch: batch, Array(taken.prefix(1)))
        #expect(again.committed == [taken[0].job])
        #expect(again.stale == [])
        let kept = try worker.report(ShardPath.b, batch: batch, Array(taken.dropFirst()))
        #expect(kept.committed == taken.dropFirst().map(\.job))
        let rest = try worker.take(3)
        #expect(rest.map(\.lease.epoch) == [1, 1, 1])
        _ = try worker.report(ShardPath.c, batch: batch, rest.map(\.lease))
        #expect(try client.status(batch).state == "finished")
        #expect(try client.items(batch).map(\.attempts) == [1, 1, 1, 1, 1, 1])
        // A submission that was cut off goes on where it was.
        #expect(try client.add([#"{"id":"y","image":"y.jpg","prompt":"?"}"#], to: half).itemsAdded.total == 2)
        #expect(try client.ask { $0.closeBatch.batch = half }.batchClosed.total == 2)
        try coordinator.stop()
    }

    @Test func refusesOtherVersionsNamingBoth() throws {
        let coordinator = try RunningCoordinator(store: store)
        let worker = try WorkerPeer(coordinator.endpoints.workers)
        try worker.send {
            $0.hello = .worker("ann", session: "s", capacity: 1, held: [])
            $0.hello.protocolVersion = 77
            $0.hello.software = "winnow 9.9"
        }
        let client = try ClientPeer(coordinator.endpoints.clients)
        let answer = try client.ask {
            $0.hello = .client(session: "c")
            $0.hello.protocolVersion = 77
            $0.hello.software = "winnow 9.9"
        }
        for refusal in [try worker.receive().refusal, answer.refusal] {
            #expect(refusal.code == WireRefusal.versionCode)
            #expect(refusal.message.contains("winnow 9.9"))
            #expect(refusal.message.contains(ProtocolVersion.software))
            #expect(refusal.message.contains("77"))
        }
        try coordinator.stop()
    }

    @Test func outlivesMessagesThatMakeNoSense() throws {
        let coordinator = try RunningCoordinator(store: store)
        let garbage: [[[UInt8]]] = [
            [[]], [[1, 2, 3]], [WireFraming.tag], [WireFraming.tag, []], [WireFraming.tag, [0xFF, 0xFF]],
            [WireFraming.tag, [], []], Array(repeating: [0], count: 50), [[UInt8]("WNW2".utf8), [10, 0]],
        ]
        let worker = try WorkerPeer(coordinator.endpoints.workers)
        let client = try ClientPeer(coordinator.endpoints.clients)
        for frames in garbage {
            try worker.socket.send(frames)
            try client.socket.send(frames)
        }
        // Sense, but not from a worker that said hello; then rows and leases that do not exist.
        try worker.send { $0.credit.freeSlots = 3 }
        #expect(try worker.receive().helloAgain == WireHelloAgain())
        try worker.hello("ann")
        // Numbers that no store can hold make no sense at all; others may belong to a store that was replaced.
        try worker.send { $0.heartbeat.held = [WireLease(job: .max, epoch: .max, progress: .max)] }
        let number = UInt64(Int64.max)
        let nothing = WireLease(job: number, epoch: number, progress: number)
        try worker.send { $0.returned.leases = [nothing] }
        try worker.send { $0.heartbeat.held = [nothing] }
        #expect(try worker.receive().heartbeatAnswer.revoked.map(\.job) == [number])
        #expect(try worker.report("../../etc/x", batch: "nobody", [nothing]).stale == [number])
        let batch = try client.submit(1, in: directory)
        let lease = try #require(try worker.take(1).first).lease
        #expect(try worker.report("/etc/x", batch: batch, [lease]).stale == [lease.job])
        #expect(try worker.report(ShardPath.a, batch: batch, [lease, nothing]).committed == [lease.job])
        #expect(try client.status(batch).state == "finished")
        try coordinator.stop()
    }

    /// A peer that says hello under ever new names is one worker all the same, and what it holds waits again.
    @Test func aConnectionIsOneWorker() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(2, in: directory)
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "one")
        _ = try worker.take(2)
        #expect(try client.status(batch).running == 2)
        for number in 0..<50 { try worker.hello("name-\(number)") }
        let answer = try client.ask { $0.status = WireStatusRequest() }
        #expect(answer.status.workers.map(\.worker) == ["name-49"])
        #expect(try client.status(batch).waiting == 2)
        try coordinator.stop()
    }

    @Test func whatAWorkerSaysAtLengthIsCutShort() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(1, in: directory)
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "one")
        let lease = try #require(try worker.take(1).first).lease
        let long = String(repeating: "ü", count: 100_000)
        #expect(try worker.report(ShardPath.a, batch: batch, [lease], error: long).committed == [lease.job])
        let items = try client.ask { $0.items.batch = batch }.items.items
        let error = try #require(items.first).error
        #expect(error.utf8.count <= 4_100 && error.hasSuffix("ü…"))
        try coordinator.stop()
    }

    /// Labels are looked up in what was submitted; a question that the store cannot answer is refused, no more.
    @Test func itemsAreFoundByLabelInBoundedLooks() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.open("demo", in: directory)
        let items = (1...5).map {
            #"{"id":"q\#($0)","image":"i.jpg","prompt":"?","labels":{"k":"\#($0 % 2)"}}"#
        }
        #expect(try client.add(items, to: batch).itemsAdded.total == 5)
        let first = try client.ask {
            $0.items.batch = batch
            $0.items.limit = 2
            $0.items.labels = ["k": "1"]
        }.items
        #expect(first.items.map(\.item) == ["q1", "q3"] && first.next == 3)
        let rest = try client.ask {
            $0.items.batch = batch
            $0.items.after = first.next
            $0.items.limit = 2
            $0.items.labels = ["k": "1"]
        }.items
        #expect(rest.items.map(\.item) == ["q5"] && rest.next == 0)
        try coordinator.stop()
    }

    @Test func refusesWhatCannotBeSubmitted() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.open("demo", in: directory)
        let good = #"{"id":"a","image":"a.jpg","prompt":"?"}"#
        #expect(try client.add([good], to: batch).itemsAdded.total == 1)
        #expect(try client.add([good], to: batch).itemsAdded.known == 1)
        let changed = #"{"id":"a","image":"a.jpg","prompt":"!"}"#
        #expect(try client.add([changed], to: batch).refusal.code == "changed-item")
        #expect(try client.add([#"{"id":"b","image":"../b","prompt":"?"}"#], to: batch).refusal.code == "bad-item")
        #expect(try client.add([good], to: "nobody").refusal.code == "no-such-batch")
        #expect(try client.ask { $0.openBatch.name = "x" }.refusal.code == "bad-description")
        #expect(try client.ask { $0.closeBatch.batch = batch }.batchClosed.total == 1)
        #expect(try client.ask { $0.closeBatch.batch = batch }.batchClosed.total == 1)
        #expect(try client.ask { $0.status.batch = "nobody" }.refusal.code == "no-such-batch")
        // The name is taken, in the store and in the results folder.
        #expect(try client.open("demo", in: directory, fresh: true) == "demo-2")
        #expect(try client.status("demo-2").results == directory.file("results/demo-2").path)
        // Not yet closed, its folder has no description, and is taken all the same.
        #expect(try client.open("demo-3", in: directory) == "demo-3")
        #expect(try client.open("demo-3", in: directory, fresh: true) == "demo-3-2")
        try coordinator.stop()
    }

    @Test func cancelsABatch() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(3, in: directory)
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        let lease = try #require(try worker.take(1).first).lease
        let answer = try client.ask {
            $0.cancel.batch = batch
            $0.cancel.reason = "no need"
        }
        #expect(answer.cancelled.cancelled == 3)
        #expect(try worker.receive().heartbeatAnswer.revoked.map(\.job) == [lease.job])
        #expect(try worker.report(ShardPath.a, batch: batch, [lease]).stale == [lease.job])
        #expect(try client.status(batch).state == "cancelled")
        #expect(try client.items(batch).map(\.state) == ["cancelled", "cancelled", "cancelled"])
        try coordinator.stop()
    }

    @Test func aShutdownLetsWorkersFinish() throws {
        let coordinator = try RunningCoordinator(store: store)
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(2, in: directory)
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        let lease = try #require(try worker.take(1).first).lease
        #expect(try client.ask { $0.shutdown = WireShutdownRequest() }.shuttingDown == WireShuttingDown())
        #expect(try worker.receive().drain == WireDrain())
        #expect(try worker.report(ShardPath.a, batch: batch, [lease]).committed == [lease.job])
        try worker.send { $0.goodbye = WireGoodbye() }
        try coordinator.waitForEnd()

        let next = try RunningCoordinator(store: store)
        let other = try ClientPeer(next.endpoints.clients)
        let status = try other.status(batch)
        #expect([status.succeeded, status.waiting] == [1, 1])
        try next.stop()
    }

    @Test func aSecondCoordinatorRefusesToStart() throws {
        let coordinator = try RunningCoordinator(store: store)
        #expect {
            _ = try RunningCoordinator(store: store)
        } throws: { ($0 as? JobStoreError)?.code == .inUse }
        // By whatever name it goes.
        let other = directory.file("other.sqlite")
        try FileManager.default.createSymbolicLink(at: other, withDestinationURL: store)
        #expect {
            _ = try RunningCoordinator(store: other)
        } throws: { ($0 as? JobStoreError)?.code == .inUse }
        try coordinator.stop()
    }
}
