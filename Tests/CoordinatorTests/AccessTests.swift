import AccessKeys
import Coordinator
import Foundation
import TestSupport
import Testing
import WireProtocol
import ZeroMQ

/// Who gets in: a coordinator that needs keys, and peers with the right, the wrong and no keys.
@Suite struct AccessTests {
    private let directory: TemporaryDirectory
    private let folder: KeyFolder
    private let coordinator: RunningCoordinator

    init() throws {
        directory = try TemporaryDirectory()
        let folder = KeyFolder(directory.file("keys"))
        _ = try folder.makeServerKey()
        self.folder = folder
        coordinator = try RunningCoordinator(store: directory.file("jobs.sqlite")) {
            $0.keys = folder
            $0.needsKeysOnLoopback = true
        }
    }

    private func key(_ role: AccessRole, _ name: String) throws -> SocketSecurity {
        try KeyFile(path: folder.makeKey(role, name: name, at: Date()), role: role).security
    }

    /// Whether a peer's hello is answered at all.
    private func isHeard(_ peer: borrowing WorkerPeer) throws -> Bool {
        try peer.send { $0.hello = .worker("w", session: "s", capacity: 1, held: []) }
        return try peer.next(within: .seconds(2)) != nil
    }

    private func isHeard(_ peer: borrowing ClientPeer) throws -> Bool {
        try peer.send { $0.hello = .client(session: "s") }
        return try peer.next(within: .seconds(2)) != nil
    }

    @Test func eachRoleGetsInAtItsOwnDoorOnly() throws {
        defer { try? coordinator.stop() }
        let endpoints = try coordinator.endpoints
        // Keys made while it runs count at once.
        let worker = try key(.worker, "gpu")
        let client = try key(.client, "ana")
        #expect(try isHeard(WorkerPeer(endpoints.workers, security: worker)))
        #expect(try isHeard(ClientPeer(endpoints.clients, security: client)))
        #expect(try !isHeard(WorkerPeer(endpoints.workers, security: client)))
        #expect(try !isHeard(ClientPeer(endpoints.clients, security: worker)))
    }

    @Test func strangersAreNotHeard() throws {
        defer { try? coordinator.stop() }
        let endpoints = try coordinator.endpoints
        let server = try folder.serverPair().publicKey
        #expect(try !isHeard(WorkerPeer(endpoints.workers, security: .none)))
        #expect(try !isHeard(ClientPeer(endpoints.clients, security: .none)))
        let stranger = SocketSecurity.client(own: try .generate(), server: server)
        #expect(try !isHeard(WorkerPeer(endpoints.workers, security: stranger)))
        #expect(try !isHeard(ClientPeer(endpoints.clients, security: stranger)))
        #expect(try isHeard(ClientPeer(endpoints.clients, security: key(.client, "ana"))))
    }

    @Test func aRevokedWorkerLosesItsJobsAtOnceAndIsNotHeardAgain() throws {
        defer { try? coordinator.stop() }
        let endpoints = try coordinator.endpoints
        let client = try ClientPeer(endpoints.clients, security: key(.client, "ana"))
        let batch = try client.submit(4, in: directory)
        let worker = try WorkerPeer(endpoints.workers, security: key(.worker, "gpu"))
        try worker.hello("one")
        let leases = try worker.take(4).map(\.lease)
        #expect(try client.status(batch).running == 4)

        try folder.revoke("gpu", at: Date())
        // It is told why, without having said anything.
        #expect(try worker.receive().refusal.code == "key-revoked")
        #expect(try client.status(batch).waiting == 4)
        try worker.send {
            $0.report.batch = batch
            $0.report.shard = ShardPath.x
            $0.report.rows = leases.map { lease in
                var row = WireRow()
                row.lease = lease
                return row
            }
        }
        #expect(try worker.next(within: .seconds(1)) == nil)
        #expect(try client.status(batch).succeeded == 0)
        #expect(try !isHeard(worker))

        let other = try WorkerPeer(endpoints.workers, security: key(.worker, "gpu-2"))
        try other.hello("two")
        #expect(try other.take(4).count == 4)
    }

    /// A name is that of the key it came with: another key's worker gets nothing by it, and takes nobody's place.
    @Test func nobodyPushesAWorkerOutUnderItsName() throws {
        defer { try? coordinator.stop() }
        let endpoints = try coordinator.endpoints
        let client = try ClientPeer(endpoints.clients, security: key(.client, "ana"))
        let batch = try client.submit(2, in: directory)
        let gpu = try key(.worker, "gpu")
        let first = try WorkerPeer(endpoints.workers, security: gpu)
        try first.hello("one")
        let leases = try first.take(2).map(\.lease)
        let other = try WorkerPeer(endpoints.workers, security: key(.worker, "other"))
        try other.send { $0.hello = .worker("one", session: "t", capacity: 8, held: []) }
        let refusal = try other.receive().refusal
        #expect(refusal.code == "name-taken" && refusal.message.contains("'one'"))
        #expect(try client.status(batch).running == 2)
        #expect(try first.report(ShardPath.a, batch: batch, Array(leases.prefix(1))).committed.count == 1)
        // The same key may start the worker anew, and a name that is free again is anybody's.
        let again = try WorkerPeer(endpoints.workers, security: gpu)
        try again.hello("one", session: "u")
        try again.send { $0.goodbye = WireGoodbye() }
        let deadline = ContinuousClock.now + .seconds(30)
        while try !client.ask({ $0.status.batch = "" }).status.workers.isEmpty, .now < deadline {
            Thread.sleep(forTimeInterval: 0.01)
        }
        try other.hello("one", session: "v")
    }

    @Test func aRevokedClientIsNotHeardAgain() throws {
        defer { try? coordinator.stop() }
        let endpoints = try coordinator.endpoints
        let client = try ClientPeer(endpoints.clients, security: key(.client, "ana"))
        #expect(try isHeard(client))
        try folder.revoke("ana", at: Date())
        // The list is looked at once a second.
        let end = ContinuousClock.now + .seconds(30)
        var heard = true
        while heard, .now < end {
            Thread.sleep(forTimeInterval: 0.05)
            heard = try isHeard(client)
        }
        #expect(!heard)
    }

    @Test func withoutKeysItListensOnLoopbackOnly() throws {
        try coordinator.stop()
        let empty = KeyFolder(directory.file("none"))
        #expect(throws: AccessKeyError.self) {
            try RunningCoordinator(store: directory.file("other.sqlite")) {
                $0.keys = empty
                $0.workerEndpoint = "tcp://0.0.0.0:*"
            }
        }
        let local = try RunningCoordinator(store: directory.file("other.sqlite")) { $0.keys = empty }
        #expect(try isHeard(ClientPeer(local.endpoints.clients, security: .none)))
        try local.stop()
    }
}
