import Coordinator
import Foundation
import TestSupport
import Testing
import WireProtocol

/// A worker that is let in and reports what is not so.
@Suite(.timeLimit(.minutes(2))) struct HostileWorkerTests {
    let directory: TemporaryDirectory
    let coordinator: RunningCoordinator

    init() throws {
        directory = try TemporaryDirectory()
        coordinator = try RunningCoordinator(store: directory.file("jobs.sqlite"))
    }

    @Test func aJobThatAnotherHoldsStaysTheOthers() throws {
        defer { try? coordinator.stop() }
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(2, in: directory)
        let honest = try WorkerPeer.joined(coordinator.endpoints.workers, "honest")
        let leases = try honest.take(2).map(\.lease)
        let hostile = try WorkerPeer.joined(coordinator.endpoints.workers, "hostile")
        #expect(try hostile.report(ShardPath.x, batch: batch, leases).stale == leases.map(\.job))
        #expect(try client.status(batch).running == 2)
        #expect(try honest.report(ShardPath.y, batch: batch, leases).committed == leases.map(\.job))
        #expect(try client.items(batch).map(\.shard) == [ShardPath.y, ShardPath.y])
    }

    @Test func oneRowIsTheResultOfOneJob() throws {
        defer { try? coordinator.stop() }
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(4, in: directory)
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "one")
        let leases = try worker.take(4).map(\.lease)
        func report(_ rows: [(WireLease, UInt32)]) throws -> WireReportAnswer {
            try worker.send {
                $0.report.batch = batch
                $0.report.shard = ShardPath.a
                $0.report.rows = rows.map { lease, number in
                    var row = WireRow()
                    row.lease = lease
                    row.row = number
                    return row
                }
            }
            while true { if case .reportAnswer(let answer) = try worker.receive().kind { return answer } }
        }
        #expect(try report([(leases[0], 0), (leases[1], 0), (leases[2], 0)]).committed.isEmpty)
        #expect(try report([(leases[0], 0), (leases[0], 1)]).committed.isEmpty)
        #expect(try report([(leases[0], 0), (leases[1], 1)]).committed == leases[0...1].map(\.job))
        // A shard is reported once: the same again is answered the same way, and it holds nothing else.
        #expect(try report([(leases[0], 0), (leases[1], 1)]).committed == leases[0...1].map(\.job))
        #expect(try report([(leases[2], 0)]).stale == [leases[2].job])
        #expect(try report([(leases[2], 2)]).stale == [leases[2].job])
        #expect(try client.status(batch).running == 2)
    }

    @Test(arguments: [
        "batch.yaml", "catalogue.sqlite", "tmp/00/a.h5", "shards/a.h5", "shards/00/../../batch.yaml", "shards/00/.h5",
        "shards/00/a.h5.part", "shards/../a.h5", "shards//a.h5", "/shards/00/a.h5", "shards/00/a/b.h5", "shards/00/",
        "shards/00/catalogue.sqlite", "superseded/00/a.h5", "shards/00/a.h5", "shards/01/0000000000000000000000A000.h5",
        "shards/00/0000000000000000000000a000.h5", "pending/0000000000000000000000A000.h5",
        "/shards/00/0000000000000000000000A000.h5", "./shards/00/0000000000000000000000A000.h5",
    ])
    func aShardIsNamedAsShardsAre(_ name: String) throws {
        defer { try? coordinator.stop() }
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.submit(1, in: directory)
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "one")
        let lease = try #require(try worker.take(1).first).lease
        #expect(try worker.report(name, batch: batch, [lease]).stale == [lease.job])
        #expect(try client.status(batch).running == 1)
    }
}
