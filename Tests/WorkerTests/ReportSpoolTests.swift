import Foundation
import JobModel
import TestSupport
import Testing
import WireProtocol
import Worker

extension WorkerServiceTests {
    private func spool() -> URL { folder.file("spool") }

    private func reports() -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: spool().path)) ?? []).filter { $0.hasSuffix(".report") }
    }

    @Test func aReportThatWasNotAnsweredOutlivesItsProcess() throws {
        let batch = try batch()
        let first = try worker {
            $0.spool = spool()
            $0.farewellPatience = .milliseconds(50)
        }
        try coordinator.welcome()
        try coordinator.assign(["abc"], of: batch)
        let report = try coordinator.expectReport()
        #expect(reports().count == 1)
        // It ends without an answer, as if it were killed: its file stays.
        first.stop()
        try? first.wait()

        let second = try worker { $0.spool = spool() }
        let hello = try coordinator.welcome()
        #expect(hello.held.map(\.job) == report.rows.map(\.lease.job))
        let again = try coordinator.expectReport()
        #expect(again == report)
        try coordinator.commit(again)
        second.drain()
        try coordinator.expectGoodbye()
        try second.wait()
        #expect(reports().isEmpty)
        #expect(FileManager.default.fileExists(atPath: pending(report, of: batch)))
    }

    @Test func aShardOfWhichNothingCountsLeavesTheResults() throws {
        let batch = try batch()
        let worker = try worker { $0.spool = spool() }
        try coordinator.welcome()
        try coordinator.assign(["abc"], of: batch)
        let report = try coordinator.expectReport()
        var answer = WireReportAnswer()
        answer.shard = report.shard
        answer.stale = report.rows.map(\.lease.job)
        try coordinator.send(.reportAnswer(answer))
        worker.drain()
        try coordinator.expectGoodbye()
        try worker.wait()
        #expect(!FileManager.default.fileExists(atPath: pending(report, of: batch)))
        let name = URL(fileURLWithPath: report.shard).lastPathComponent
        #expect(FileManager.default.fileExists(atPath: batch.results + "/superseded/" + name))
        #expect(reports().isEmpty)
    }

    @Test func halfAReportIsNoReport() throws {
        try FileManager.default.createDirectory(at: spool(), withIntermediateDirectories: true)
        try Data([1, 2, 3]).write(to: spool().appendingPathComponent("a.report"))
        try Data().write(to: spool().appendingPathComponent("b.report"))
        // What cannot be read just now may be a whole report.
        let loop = spool().appendingPathComponent("c.report").path
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
        let worker = try worker { $0.spool = spool() }
        #expect(try coordinator.welcome().held.isEmpty)
        #expect(reports() == ["c.report"])
        worker.drain()
        try coordinator.expectGoodbye()
        try worker.wait()
    }

    @Test func failuresThatMayPassGetNoRowWhereTheCoordinatorTriesAgain() throws {
        let batch = try batch()
        let worker = try worker()
        try coordinator.welcome()
        try coordinator.assign(["fail"], of: batch, retriable: Set([.other, .resource]).mask)
        let failed = try coordinator.expect { if case .failed(let failed) = $0.kind { failed } else { nil } }
        #expect(failed.attempts.map(\.error) == ["asked to fail"] && failed.attempts.map(\.errorClass) == [.other])
        // It is not held any more, and its place is free again.
        try coordinator.expectHeld { $0.isEmpty }
        try coordinator.expectCredit(4)
        try coordinator.assign(["fail"], of: batch, epoch: 2, retriable: Set([.resource]).mask)
        let report = try coordinator.expectReport()
        #expect(report.rows.map(\.failed) == [true])
        try coordinator.commit(report)
        worker.drain()
        try coordinator.expectGoodbye()
        try worker.wait()
    }
}
