import Coordinator
import Foundation
import JobModel
import TestSupport
import Testing
import WireProtocol

/// A row counts only if its shard can be found, and then every row of the shard does.
@Suite struct PublishingTests {
    let directory: TemporaryDirectory
    let coordinator: RunningCoordinator
    let results: String

    init() throws {
        directory = try TemporaryDirectory()
        results = directory.file("results/demo").path
        coordinator = try RunningCoordinator(store: directory.file("jobs.sqlite")) { $0.confirmsShards = true }
    }

    private static let name = "01ARZ3NDEKTSV4RRFFQ69G5FAV.h5"
    private static let shard = "shards/5b/\(name)"

    /// A shard as a worker leaves it; what is in it is none of the coordinator's business.
    private func leave(_ name: String = PublishingTests.name, bytes: Int = 100) throws {
        try Data(repeating: 7, count: bytes).write(to: URL(fileURLWithPath: "\(results)/pending/\(name)"))
    }

    private func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: "\(results)/\(path)") }

    @Test func aShardGetsItsNameWithItsRows() throws {
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(3, in: directory)
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        let leases = try worker.take(2).map(\.lease)
        try leave()
        #expect(try worker.report(Self.shard, batch: batch, leases).committed.count == 2)
        #expect(exists(Self.shard) && !exists("pending/\(Self.name)") && !exists("pending/\(Self.name).moved"))
        // The same report again, after an answer that was lost.
        #expect(try worker.report(Self.shard, batch: batch, leases).committed.count == 2)
        #expect(exists(Self.shard))
        // Nor does a shard that counts already count for somebody else.
        let other = try WorkerPeer.joined(coordinator.endpoints.workers, "bob")
        let lease = try other.take(1)[0].lease
        try leave()
        #expect(try other.report(Self.shard, batch: batch, [lease]).committed.isEmpty)
        #expect(try client.status(batch).succeeded == 2)
        try coordinator.stop()
    }

    @Test func whatCannotBeFoundDoesNotCount() throws {
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(2, in: directory)
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        let leases = try worker.take(2).map(\.lease)
        // Its worker has another disk there; or it is not the shard that was reported.
        let answer = try worker.report(Self.shard, batch: batch, leases)
        #expect(answer.committed.isEmpty && answer.stale.count == 2)
        let status = try client.status(batch)
        #expect(status.succeeded == 0 && status.waiting == 2)
        #expect(status.trouble.contains(Self.shard) && status.trouble.contains(results), "\(status.trouble)")
        // A worker that has the folder runs them.
        let other = try WorkerPeer.joined(coordinator.endpoints.workers, "bob")
        let again = try other.take(2).map(\.lease)
        try leave(bytes: 99)
        #expect(try other.report(Self.shard, batch: batch, again).committed.isEmpty)
        let third = try WorkerPeer.joined(coordinator.endpoints.workers, "cid")
        let last = try third.take(2).map(\.lease)
        try leave()
        #expect(try third.report(Self.shard, batch: batch, last).committed.count == 2)
        try coordinator.stop()
    }

    @Test func aShardCountsAsAWholeOrNotAtAll() throws {
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(3, in: directory)
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        let leases = try worker.take(3).map(\.lease)
        // One of its jobs comes to another worker.
        try worker.send { $0.returned.leases = [leases[0]] }
        let other = try WorkerPeer.joined(coordinator.endpoints.workers, "bob")
        let newer = try other.take(1).map(\.lease)
        #expect(newer[0].job == leases[0].job)
        try leave()
        let mixed = try worker.report(Self.shard, batch: batch, leases)
        #expect(mixed.committed.isEmpty && mixed.stale == [leases[0].job])
        #expect(!exists(Self.shard) && exists("pending/\(Self.name)"))
        #expect(try client.status(batch).succeeded == 0)
        // Written again, without the row that came too late.
        let name = "01ARZ3NDEKTSV4RRFFQ69G5FAW.h5"
        try leave(name)
        let left = Array(leases.dropFirst())
        #expect(try worker.report("shards/5c/\(name)", batch: batch, left).committed.count == 2)
        #expect(exists("shards/5c/\(name)") && !exists(Self.shard))
        try coordinator.stop()
    }

    @Test func aFolderThatIsNotThereJustNowIsWaitedFor() throws {
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(1, in: directory)
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        let lease = try worker.take(1)[0].lease
        try leave()
        let away = results + "-away"
        try FileManager.default.moveItem(atPath: results, toPath: away)
        func report() throws {
            try worker.send {
                $0.report.batch = batch
                $0.report.shard = Self.shard
                $0.report.bytes = 100
                var row = WireRow()
                row.lease = lease
                $0.report.rows = [row]
            }
        }
        try report()
        #expect(try worker.next(within: .milliseconds(500))?.reportAnswer.shard.isEmpty ?? true)
        let status = try client.status(batch)
        #expect(status.running == 1 && status.trouble.contains(ResultsToken.file), "\(status.trouble)")
        try FileManager.default.moveItem(atPath: away, toPath: results)
        #expect(try worker.report(Self.shard, batch: batch, [lease]).committed == [lease.job])
        #expect(try client.status(batch).trouble.isEmpty)
        try coordinator.stop()
    }

    @Test func whatACoordinatorLeftBetweenNamingAndCommittingIsTakenBack() throws {
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(2, in: directory)
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        let lease = try worker.take(1)[0].lease
        try leave()
        #expect(try worker.report(Self.shard, batch: batch, [lease]).committed.count == 1)
        try coordinator.stop()
        // As if it had ended before it took the mark away, and for another shard before the commit.
        let name = "01ARZ3NDEKTSV4RRFFQ69G5FAW.h5"
        let shard = "shards/5c/\(name)"
        try FileManager.default.createDirectory(atPath: "\(results)/shards/5c", withIntermediateDirectories: true)
        try Data([7]).write(to: URL(fileURLWithPath: "\(results)/\(shard)"))
        for marked in [Self.name, name] {
            try Data().write(to: URL(fileURLWithPath: "\(results)/pending/\(marked).moved"))
        }
        let next = try RunningCoordinator(store: directory.file("jobs.sqlite")) { $0.confirmsShards = true }
        try next.stop()
        #expect(exists(Self.shard) && !exists("pending/\(Self.name)"))
        #expect(!exists(shard) && exists("pending/\(name)"))
        #expect(!exists("pending/\(Self.name).moved") && !exists("pending/\(name).moved"))
    }

    @Test func marksThatCannotBeListedAreSettledWhenTheyCan() throws {
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(2, in: directory)
        try coordinator.stop()
        let name = "01ARZ3NDEKTSV4RRFFQ69G5FAW.h5"
        let shard = "shards/5c/\(name)"
        try FileManager.default.createDirectory(atPath: "\(results)/shards/5c", withIntermediateDirectories: true)
        try Data([7]).write(to: URL(fileURLWithPath: "\(results)/\(shard)"))
        try Data().write(to: URL(fileURLWithPath: "\(results)/pending/\(name).moved"))
        let pending = "\(results)/pending", away = "\(results)/away"
        try FileManager.default.moveItem(atPath: pending, toPath: away)
        try FileManager.default.createSymbolicLink(atPath: pending, withDestinationPath: pending)

        let next = try RunningCoordinator(store: directory.file("jobs.sqlite")) { $0.confirmsShards = true }
        let again = try ClientPeer(next.endpoints.clients)
        #expect(try again.status(batch).trouble.contains("cannot list"))
        #expect(exists(shard))
        try FileManager.default.removeItem(atPath: pending)
        try FileManager.default.moveItem(atPath: away, toPath: pending)
        let worker = try WorkerPeer.joined(next.endpoints.workers, "ann")
        let lease = try worker.take(1)[0].lease
        try leave()
        #expect(try worker.report(Self.shard, batch: batch, [lease]).committed.count == 1)
        #expect(!exists(shard) && exists("pending/\(name)") && !exists("pending/\(name).moved"))
        #expect(try again.status(batch).trouble.isEmpty)
        try next.stop()
    }

    @Test func oneFolderBelongsToOneBatch() throws {
        let client = try ClientPeer(coordinator.endpoints.clients)
        func open(_ name: String, _ folder: String, fresh: Bool = false) throws -> WireToClient {
            let description = BatchDescription(
                name: name, model: "/model", items: "/items.jsonl", images: "/pictures", results: folder)
            let json = try description.json()
            return try client.ask {
                $0.openBatch.name = name
                $0.openBatch.description_p = json
                $0.openBatch.fresh = fresh
            }
        }
        #expect(try open("demo", results).batchOpened.batch == "demo")
        let link = directory.file("link").path
        try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: directory.file("results").path)
        let parent = directory.file("results").path
        for alias in [results, parent + "/./demo", parent + "//demo/", parent + "/x/../demo", link + "/demo"] {
            let refusal = try open("other", alias).refusal
            #expect(refusal.code == "results-taken" && refusal.message.contains("'demo'"), "\(alias): \(refusal)")
        }
        for fresh in [false, true] {
            let inside = try open("other", results + "/shards/x", fresh: fresh).refusal
            #expect(inside.code == "results-taken" && inside.message.contains("inside"), "\(inside)")
        }
        for number in 2...40 {
            #expect(try open("other", results, fresh: true).batchOpened.results == results + "-\(number)")
        }
        #expect(try client.ask { $0.closeBatch.batch = "demo" }.batchClosed.total == 0)

        // Another coordinator finds the folder of the first, and does not count up for ever.
        let second = try RunningCoordinator(store: directory.file("second.sqlite"))
        let stranger = try ClientPeer(second.endpoints.clients)
        for _ in 0..<3 {
            let json = try BatchDescription(
                name: "demo", model: "/model", items: "/items.jsonl", images: "/pictures", results: results
            ).json()
            let answer = try stranger.ask {
                $0.openBatch.name = "demo"
                $0.openBatch.description_p = json
            }
            #expect(answer.refusal.code == "results-taken" && answer.refusal.message.contains("--new"))
        }
        #expect(try stranger.ask { $0.status.batch = "" }.status.batches.isEmpty)
        try second.stop()
        try coordinator.stop()
    }
}
