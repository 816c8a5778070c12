import Foundation
import JobModel
import ResultFiles
import TestSupport
import Testing
import WireProtocol
import Worker

/// A worker with its real threads, sockets and files against a scripted coordinator.
@Suite struct WorkerServiceTests {
    let folder: TemporaryDirectory
    let coordinator: ScriptedCoordinator
    let gate = Gate()

    init() throws {
        folder = try TemporaryDirectory()
        coordinator = try ScriptedCoordinator()
    }

    func batch(_ name: String = "demo") throws -> BatchDescription {
        try .forTests(name: name, results: folder.file("results-\(name)").path)
    }

    /// Where the shard of a report waits until its rows count.
    func pending(_ report: WireShardReport, of batch: BatchDescription) -> String {
        "\(batch.results)/pending/\(URL(fileURLWithPath: report.shard).lastPathComponent)"
    }

    func worker(_ change: (inout WorkerConfiguration) -> Void = { _ in }) throws -> WorkerService {
        var configuration = WorkerConfiguration(endpoint: coordinator.endpoint, name: WorkerName("w1"))
        configuration.reconnectPause = .milliseconds(20)
        change(&configuration)
        let worker = try WorkerService(configuration) { [gate] in
            ReversingRunner(capacity: 2, gate: gate)
        }
        worker.start()
        return worker
    }

    @Test func jobsAreRunWrittenAndReportedOnce() throws {
        let worker = try worker()
        let hello = try coordinator.welcome()
        #expect(hello.worker == "w1")
        #expect(hello.capacity == 2 && hello.prefetch == 2)
        #expect(hello.held.isEmpty)
        try coordinator.expectCredit(4)
        let batch = try batch()
        try coordinator.assign(["abc", "fail", "xy", "inconsistent"], of: batch)

        var rows: [UInt64: WireRow] = [:]
        while rows.count < 4 {
            let report = try coordinator.expectReport()
            // It gets its name in `shards/` from the coordinator, once its rows count.
            let file = URL(fileURLWithPath: pending(report, of: batch))
            #expect(!FileManager.default.fileExists(atPath: "\(batch.results)/\(report.shard)"))
            #expect(try FileManager.default.attributesOfItem(atPath: file.path)[.size] as? UInt64 == report.bytes)
            #expect(report.batch == "demo")
            #expect(report.sha256.count == 32)
            let shard = try ShardReader(file.path)
            #expect(shard.header.worker == "w1" && shard.header.batch == "demo")
            #expect(try shard.rows().map(\.id) == report.rows.map { "item-\($0.lease.job)" })
            #expect(report.rows.map(\.row) == (0..<UInt32(report.rows.count)).map { $0 })
            for row in report.rows { #expect(rows.updateValue(row, forKey: row.lease.job) == nil) }
            try coordinator.commit(report)
        }
        #expect(rows[1]?.summary.answer == "cba")
        #expect(rows[2]?.failed == true)
        #expect(rows[2]?.error == "asked to fail")
        #expect(rows[3]?.summary.answer == "yx")
        #expect(rows[3]?.failed == false)
        // A result that contradicts itself fails its job, not the shard.
        #expect(rows[4]?.failed == true)
        #expect(rows[4]?.error.contains("kept") == true)
        try coordinator.expectHeld { $0.isEmpty }

        worker.drain()
        try coordinator.expectGoodbye()
        try worker.wait()
    }

    @Test func rowsThatStillCountAreWrittenAgainWithoutThoseThatCameTooLate() throws {
        let worker = try worker {
            $0.spool = folder.file("spool")
            $0.sealing.rows = 3
            $0.sealing.idle = .seconds(600)
            $0.prefetch = 4
        }
        try coordinator.welcome()
        let batch = try batch()
        try coordinator.assign(["abc", "de", "f"], of: batch)
        let report = try coordinator.expectReport()
        #expect(report.rows.count == 3)
        var answer = WireReportAnswer()
        answer.shard = report.shard
        answer.stale = [2]
        try coordinator.send(.reportAnswer(answer))
        let again = try coordinator.expect { message in
            if case .report(let next) = message.kind, next.shard != report.shard { next } else { nil }
        }
        let left = report.rows.filter { $0.lease.job != 2 }
        #expect(again.rows.map(\.lease) == left.map(\.lease) && again.rows.map(\.row) == [0, 1])
        #expect(again.rows.map(\.summary) == left.map(\.summary))
        let former = try ShardReader(
            "\(batch.results)/superseded/\(URL(fileURLWithPath: report.shard).lastPathComponent)")
        let rows = try ShardReader(pending(again, of: batch)).rows()
        #expect(try rows == former.rows().filter { $0.id != "item-2" } && rows.count == 2)
        try coordinator.expectHeld { Set($0.map(\.job)) == [1, 3] }
        try coordinator.commit(again)
        worker.drain()
        try coordinator.expectGoodbye()
        try worker.wait()
        let spooled = try FileManager.default.contentsOfDirectory(atPath: folder.file("spool").path)
        #expect(!spooled.contains { $0.hasSuffix(".report") })
    }

    @Test func jobsWhoseResultsWouldNotBeFoundGoBackUnrun() throws {
        let worker = try worker()
        try coordinator.welcome()
        var batch = try batch()
        batch.resultsToken = ResultsToken.random()
        // Another disk at the path of the folder, then nothing, then the folder of another batch.
        for token in [nil, ResultsToken.random()] {
            try FileManager.default.createDirectory(
                atPath: batch.results + "/shards", withIntermediateDirectories: true)
            if let token { try ResultsToken.write(token, in: batch.results) }
            try coordinator.assign(["abc"], of: batch)
            let returned = try coordinator.expectReturned()
            #expect(returned.unfit && returned.leases.map(\.job) == [1])
            #expect(returned.reason.contains(batch.results) && returned.reason.contains("Mount"))
        }
        let files = try FileManager.default.subpathsOfDirectory(atPath: batch.results)
        #expect(!files.contains { $0.hasSuffix(".h5") })
        // The worker goes on, and runs the batch where the folder is the right one.
        let token = try #require(batch.resultsToken)
        try ResultsToken.write(token, in: batch.results)
        try coordinator.assign(["abc"], of: batch, epoch: 2)
        try coordinator.commit(try coordinator.expectReport())
        worker.drain()
        try coordinator.expectGoodbye()
        try worker.wait()
    }

    @Test func aJobIsHeldAndItsReportRepeatedUntilTheAnswer() throws {
        let worker = try worker()
        try coordinator.welcome()
        try coordinator.assign(["abc"], of: try batch(), epoch: 7)
        let first = try coordinator.expectReport()
        let again = try coordinator.expectReport()
        #expect(first == again)
        var progress: [UInt64] = []
        for _ in 0..<3 {
            try coordinator.expectHeld { held in
                #expect(held.map(\.lease) == [Lease(job: JobID(1), epoch: Epoch(7))])
                progress += held.map(\.progress)
                return true
            }
        }
        #expect(progress.count == 3 && progress == progress.sorted() && Set(progress).count == 3)
        try coordinator.commit(first)
        try coordinator.expectHeld { $0.isEmpty }
        worker.drain()
        try worker.wait()
    }

    @Test func aCoordinatorThatForgotTheWorkerHearsWhatItHolds() throws {
        let worker = try worker()
        try coordinator.welcome()
        try coordinator.assign(["hold"], of: try batch())
        try coordinator.expectHeld { $0.count == 1 }
        try coordinator.send(.helloAgain(WireHelloAgain()))
        let hello = try coordinator.welcome()
        #expect(hello.held.map(\.lease) == [Lease(job: JobID(1), epoch: Epoch(1))])
        gate.open()
        try coordinator.commit(try coordinator.expectReport())
        worker.drain()
        try coordinator.expectGoodbye()
        try worker.wait()
    }

    @Test func aSilentCoordinatorIsCalledAgainOnANewConnection() throws {
        let worker = try worker()
        let session = try coordinator.welcome().session
        try coordinator.assign(["hold"], of: try batch())
        try coordinator.expectHeld { $0.count == 1 }
        let peer = coordinator.peer
        coordinator.answersHeartbeats = false
        let hello = try coordinator.expectHello()
        #expect(coordinator.peer != peer)
        #expect(hello.session == session)
        #expect(hello.held.count == 1)
        coordinator.answersHeartbeats = true
        try coordinator.send(.welcome(WireWelcome(heartbeat: .milliseconds(300), lease: .seconds(30))))
        gate.open()
        try coordinator.commit(try coordinator.expectReport())
        worker.drain()
        try worker.wait()
    }

    @Test func aWorkerFindsACoordinatorThatStartsLater() throws {
        let endpoint = try ScriptedCoordinator().endpoint  // closed again
        let worker = try worker { $0.endpoint = endpoint }
        let late = try ScriptedCoordinator(at: endpoint)
        #expect(try late.welcome().worker == "w1")
        try late.expectCredit(4)
        worker.drain()
        try worker.wait()
    }

    @Test func aRefusalEndsTheWorkerWithItsReason() throws {
        let worker = try worker()
        _ = try coordinator.expectHello()
        try coordinator.send(.refusal(WireRefusal(code: "protocol-version", message: "install the same version")))
        let error = try #require(throws: WorkerError.self) { try worker.wait() }
        #expect(error.code == .refused)
        #expect(error.message.contains("install the same version"))
    }

    @Test func aRevokedJobIsDroppedAndNeverReported() throws {
        let worker = try worker()
        try coordinator.welcome()
        let batch = try batch()
        try coordinator.assign(["hold"], of: batch)
        try coordinator.expectHeld { $0.count == 1 }
        var answer = WireHeartbeatAnswer()
        answer.revoked = [WireLease(job: 1, epoch: 1)]
        try coordinator.send(.heartbeatAnswer(answer))
        try coordinator.expectHeld { $0.isEmpty }
        try coordinator.expectCredit(4)
        gate.open()
        try coordinator.assign(["abc"], of: batch, first: 2)
        let report = try coordinator.expectReport()
        #expect(report.rows.map(\.lease.job) == [2])
        try coordinator.commit(report)
        worker.drain()
        try worker.wait()
    }

    @Test func aDrainedWorkerFinishesWhatItRunsAndTakesNothingMore() throws {
        let worker = try worker { $0.sealing.idle = .seconds(600) }
        try coordinator.welcome()
        let batch = try batch()
        try coordinator.assign(["hold"], of: batch)
        try coordinator.expectHeld { $0.count == 1 }
        try coordinator.send(.drain(WireDrain()))
        try coordinator.expectCredit(0)
        try coordinator.assign(["late"], of: batch, first: 2)
        #expect(try coordinator.expectReturned().leases.map(\.job) == [2])
        gate.open()
        let report = try coordinator.expectReport()
        #expect(report.rows.map(\.summary.answer) == ["dloh"])
        try coordinator.commit(report)
        try coordinator.expectGoodbye()
        try worker.wait()
    }

    @Test func aStoppedWorkerHandsItsJobsBack() throws {
        let worker = try worker()
        try coordinator.welcome()
        try coordinator.assign(["hold", "hold", "hold"], of: try batch())
        try coordinator.expectHeld { $0.count == 3 }
        worker.stop()
        let returned = try coordinator.expectReturned()
        #expect(returned.leases.map(\.job) == [1, 2, 3])
        #expect(returned.reason == "the worker was stopped")
        try coordinator.expectGoodbye()
        try worker.wait()
    }

    @Test func resultsThatCannotBeWrittenSendTheJobsBackAndOtherBatchesGoOn() throws {
        var batch = try batch()
        batch.results = folder.file("not-a-folder").path
        try Data([1]).write(to: URL(fileURLWithPath: batch.results))
        let worker = try worker()
        try coordinator.welcome()
        // It is found out before the job, which would never end by itself, has been run.
        try coordinator.assign(["hold"], of: batch)
        let returned = try coordinator.expectReturned()
        #expect(returned.leases.map(\.job) == [1] && returned.unfit)
        #expect(returned.reason.contains(batch.results) && returned.reason.contains("w1"))
        try coordinator.assign(["abc"], of: try self.batch("other"), first: 2)
        let report = try coordinator.expectReport()
        #expect(report.rows.map(\.summary.answer) == ["cba"])
        try coordinator.commit(report)
        // Once the folder is one, the batch is as good as any.
        try FileManager.default.removeItem(atPath: batch.results)
        try coordinator.assign(["xy"], of: batch, first: 3)
        let late = try coordinator.expectReport()
        #expect(late.rows.map(\.summary.answer) == ["yx"] && late.results == batch.results)
        try coordinator.commit(late)
        worker.drain()
        try coordinator.expectGoodbye()
        try worker.wait()
    }

    /// A folder that goes bad while jobs run: what is finished and what is not goes back.
    @Test func aFolderThatIsLostSendsEverythingUnwrittenBack() throws {
        let batch = try batch()
        let worker = try worker { $0.sealing.idle = .seconds(600) }
        try coordinator.welcome()
        try coordinator.assign(["abc", "hold"], of: batch)
        try coordinator.expectHeld { $0.contains { $0.isComputed } }
        try FileManager.default.removeItem(atPath: batch.results)
        try Data([1]).write(to: URL(fileURLWithPath: batch.results))
        gate.open()
        worker.drain()
        let returned = try coordinator.expectReturned()
        #expect(returned.leases.map(\.job) == [1, 2] && returned.unfit)
        try coordinator.expectGoodbye()
        try worker.wait()
    }

    /// A runner may make anything of a job: whatever its row is like, it costs the worker nothing.
    @Test func aJobWithoutAnyPossibleRowFailsAlone() throws {
        let worker = try worker()
        try coordinator.welcome()
        try coordinator.assign(["impossible", "abc"], of: try batch())
        let failed = try coordinator.expect { if case .failed(let failed) = $0.kind { failed } else { nil } }
        #expect(failed.attempts.map(\.lease.job) == [1])
        #expect(failed.attempts.first?.error.contains("method") == true)
        let report = try coordinator.expectReport()
        #expect(report.rows.map(\.summary.answer) == ["cba"])
        try coordinator.commit(report)
        worker.drain()
        try coordinator.expectGoodbye()
        try worker.wait()
    }

    @Test func aRunnerThatBreaksSendsTheJobsBackAndEndsTheWorker() throws {
        let worker = try worker()
        try coordinator.welcome()
        try coordinator.assign(["break", "hold"], of: try batch())
        #expect(try coordinator.expectReturned().leases.map(\.job) == [1, 2])
        let error = try #require(throws: WorkerError.self) { try worker.wait() }
        #expect(error.code == .runner)
        #expect(error.message.contains("asked to break"))
    }

    @Test func aRunnerThatCannotBeMadeEndsTheWorkerBeforeItSaysHello() throws {
        let configuration = WorkerConfiguration(endpoint: coordinator.endpoint, name: WorkerName("w1"))
        let worker = try WorkerService(configuration) { throw Broken("no model here") }
        let error = try #require(throws: WorkerError.self) { try worker.run() }
        #expect(error.code == .runner)
        #expect(error.message.contains("no model here"))
    }

    @Test func batchesAreWrittenApartAndFullShardsAtOnce() throws {
        let worker = try worker { configuration in
            configuration.prefetch = 20
            configuration.sealing.rows = 3
        }
        try coordinator.welcome()
        try coordinator.assign(["aa", "ab", "ac", "ad"], of: try batch("first"))
        try coordinator.assign(["ba", "bb"], of: try batch("second"), first: 11)
        var rows: [String: [Int]] = [:]
        while rows.values.joined().reduce(0, +) < 6 {
            let report = try coordinator.expectReport()
            rows[report.batch, default: []].append(report.rows.count)
            try coordinator.commit(report)
        }
        #expect(rows["first"] == [3, 1])
        #expect(rows["second"]?.reduce(0, +) == 2)
        worker.drain()
        try worker.wait()
    }

    @Test func aDrainedWorkerDoesNotWaitForEverForAnAnswer() throws {
        let worker = try worker { $0.farewellPatience = .milliseconds(200) }
        try coordinator.welcome()
        try coordinator.assign(["abc"], of: try batch())
        _ = try coordinator.expectReport()
        worker.drain()
        let error = try #require(throws: WorkerError.self) { try worker.wait() }
        #expect(error.code == .unanswered)
    }
}
