import Analysis
import Foundation
import JobModel
import JobStore
import ResultFiles
import TestSupport
import Testing

@Suite struct VerificationTests {
    let tree: ResultsTree
    private let stored: ResultsStore
    private var batch: BatchID { stored.batch }
    private var store: URL { stored.url }

    init() throws {
        tree = try ResultsTree()
        stored = try ResultsStore(tree)
    }

    private func commit(_ ids: [String], in shards: [SealedShard], unfinished: [String] = []) throws {
        try stored.commit(ids, in: shards, unfinished: unfinished)
    }

    private func verification() throws -> Verification {
        try Verification(tree.folder, results: stored.results())
    }

    @Test func soundResultsAreSaidToBe() throws {
        let shards = try [
            tree.seal(["a", "b"].map { ResultsTree.row($0) }, as: 1), tree.seal([ResultsTree.failure("c")], as: 2),
        ]
        try commit(["a", "b", "c"], in: shards)
        let found = try verification()
        #expect(found.isSound && found.findings.isEmpty && found.visible == 3 && found.shards == 2)
    }

    @Test func everyKindOfTroubleIsNamed() throws {
        let good = try tree.seal(["a", "b"].map { ResultsTree.row($0) }, as: 1)
        let gone = try tree.seal(["c", "d"].map { ResultsTree.row($0) }, as: 2)
        let damaged = try tree.seal([ResultsTree.row("e")], as: 3)
        // A worker that lost its lease sealed a shard that nobody committed, with a row of a job that nobody knows.
        let late = try tree.seal([ResultsTree.row("a", attempt: 2), ResultsTree.row("stranger")], as: 4)
        try commit(["a", "b", "c", "d", "e"], in: [good, gone, damaged], unfinished: ["f"])
        let waiting = try tree.seal([ResultsTree.row("f")], as: 5)
        try FileManager.default.removeItem(atPath: tree.path(gone))
        var bytes = try Data(contentsOf: URL(fileURLWithPath: tree.path(damaged)))
        bytes[bytes.count / 2] ^= 1
        try bytes.write(to: URL(fileURLWithPath: tree.path(damaged)))
        let found = try verification()
        #expect(!found.isSound && found.visible == 2 && found.undecided == 1)
        #expect(found.missing.sorted() == ["c", "d", "e"])
        func places(_ kind: Verification.Kind) -> [[String]] {
            found.findings.filter { $0.kind == kind }.map { [$0.job, $0.shard] }
        }
        #expect(places(.damaged) == [["", damaged.path]])
        #expect(places(.superseded) == [["a", late.path]])
        #expect(places(.orphaned) == [["stranger", late.path]])
        #expect(FileManager.default.fileExists(atPath: tree.path(waiting)))
    }

    @Test func aRowCountsForItsOwnJobOnly() throws {
        let shard = try tree.seal(["a", "b"].map { ResultsTree.row($0) }, as: 1)
        try commit(["a", "b"], in: [shard])
        let committed = CommittedRows(try stored.results())
        let first = RowIdentity(shard: "\(ResultsTree.id(1))", row: 0)
        #expect(committed.verdict(on: first, of: "a") == .visible)
        #expect(committed.verdict(on: first, of: "b") == .superseded)
        #expect(committed.verdict(on: first, of: "c") == .orphaned)
    }

    @Test func aShardThatIsNotTheReportedOneIsDamaged() throws {
        let shard = try tree.seal([ResultsTree.row("a")], as: 1)
        try commit(["a"], in: [shard])
        try FileManager.default.removeItem(atPath: tree.path(shard))
        try tree.seal([ResultsTree.row("a", attempt: 9)], as: 1)
        let found = try verification()
        #expect(found.count(.damaged) == 1 && found.missing == ["a"])
    }

    @Test func whatCannotBeReadJustNowIsNotDamaged() throws {
        let kept = try tree.seal([ResultsTree.row("a")], as: 1)
        let locked = try tree.seal(["b", "c"].map { ResultsTree.row($0) }, as: 2)
        let gone = try tree.seal([ResultsTree.row("d")], as: 3)
        let damaged = try tree.seal([ResultsTree.row("e")], as: 4)
        try commit(["a", "b", "c", "d", "e"], in: [kept, locked, gone, damaged])
        try FileManager.default.removeItem(atPath: tree.path(gone))
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: tree.path(damaged)))
        // As HDF5 does for somebody who writes.
        let whole = try Data(contentsOf: URL(fileURLWithPath: tree.path(locked)))
        let descriptor = open(tree.path(locked), O_RDWR)
        #expect(flock(descriptor, LOCK_EX) == 0 && ftruncate(descriptor, 1000) == 0)
        let found = try verification()
        #expect(found.findings.filter { $0.kind == .damaged }.map(\.shard) == [damaged.path])
        #expect(found.findings.contains { $0.kind == .unavailable && $0.shard == locked.path && $0.job.isEmpty })
        // Where something was not read, nobody knows what is missing.
        #expect(found.missing.isEmpty && !found.isSound && !found.isComplete)
        #expect(Set(found.findings.filter { $0.kind == .unavailable }.map(\.job)) == ["", "b", "c", "d", "e"])
        close(descriptor)
        try whole.write(to: URL(fileURLWithPath: tree.path(locked)))
        let again = try verification()
        #expect(again.isComplete && again.missing.sorted() == ["d", "e"])
    }

    @Test func aFolderThatIsNotTheBatchsLosesNothing() throws {
        let shards = try [tree.seal([ResultsTree.row("a")], as: 1), tree.seal([ResultsTree.row("b")], as: 2)]
        try commit(["a", "b"], in: shards)
        let (folder, away) = (tree.folder.path + "/shards", tree.folder.path + "/elsewhere")
        // Not mounted, as an empty folder or as none.
        try FileManager.default.moveItem(atPath: folder, toPath: away)
        for isThere in [false, true] {
            if isThere { try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true) }
            let found = try verification()
            #expect(found.missing.isEmpty && !found.isComplete && !found.isSound, "\(found.findings)")
            let lost = try Verification(tree.folder, results: stored.results(), takesAbsenceAsLoss: true)
            #expect(lost.missing.sorted() == ["a", "b"] && lost.isComplete)
        }
        // A batch with a token: also where some other shard lies there.
        var results = try stored.results()
        results.token = ResultsToken.random()
        try tree.seal([ResultsTree.row("z")], as: 9)
        let other = try Verification(tree.folder, results: results)
        #expect(other.missing.isEmpty && !other.isComplete)
        try ResultsToken.write(try #require(results.token), in: tree.folder.path)
        let own = try Verification(tree.folder, results: results)
        #expect(own.missing.sorted() == ["a", "b"] && own.isComplete)
    }

    @Test func withoutAStoreTheItemsSayWhatIsMissing() throws {
        try tree.seal([ResultsTree.row("a"), ResultsTree.row("b")], as: 1)
        try tree.seal([ResultsTree.row("b", attempt: 2)], as: 2)
        let found = try Verification(tree.folder, results: nil, expected: ["a", "b", "c"])
        #expect(found.missing == ["c"] && found.visible == 2 && found.count(.superseded) == 1)
    }

    @Test func exactlyTheMissingJobsRunAgain() throws {
        let kept = try tree.seal(["a", "b"].map { ResultsTree.row($0) }, as: 1)
        let gone = try tree.seal(["c", "d"].map { ResultsTree.row($0) }, as: 2)
        try commit(["a", "b", "c", "d"], in: [kept, gone])
        try FileManager.default.removeItem(atPath: tree.path(gone))
        let missing = try verification().missing
        var jobs = try JobStore(at: store)
        let requeued = try jobs.requeueResults(of: missing.map { ItemID($0) }, in: batch)
        #expect(requeued == 2)
        let waiting = try jobs.unfinishedJobs(of: batch, after: JobID(0), limit: 10)
        // Beyond the epoch of what was lost, so that nothing of it counts again.
        #expect(
            waiting.map(\.id) == [JobID(3), JobID(4)] && waiting.allSatisfy { !$0.wasRunning && $0.epoch == Epoch(2) })
        let state = try jobs.batches().first?.state
        #expect(state == .running)
        let again = try jobs.requeueResults(of: missing.map { ItemID($0) }, in: batch)
        #expect(again == 0)

        // The next attempt's rows count, and all is well again.
        let second = try tree.seal(["c", "d"].map { ResultsTree.row($0, attempt: 2) }, as: 3)
        for (row, job) in waiting.enumerated() {
            let lease = Lease(job: job.id, epoch: job.epoch.next)
            try jobs.apply([.assigned(lease, to: WorkerName("w"))], at: .now)
            try jobs.add(
                ShardRecord(
                    batch: batch, path: second.path, sha256: second.sha256, bytes: UInt64(second.bytes),
                    worker: WorkerName("w")))
            let commit = RowCommit(
                lease: lease, shard: second.path, row: UInt32(row), error: nil, summary: JobSummary())
            let refused = try jobs.apply([.committed(commit)], at: .now)
            #expect(refused.isEmpty)
        }
        try jobs.commit()
        let found = try verification()
        #expect(found.isSound && found.visible == 4)
    }

    @Test func jobsOfACancelledBatchRunAgainToo() throws {
        let gone = try tree.seal(["a", "b"].map { ResultsTree.row($0) }, as: 1)
        try commit(["a", "b"], in: [gone], unfinished: ["c"])
        var jobs = try JobStore(at: store)
        let refused = try jobs.apply([.batchCancelled(batch, reason: "enough")], at: .now)
        #expect(refused.isEmpty)
        let requeued = try jobs.requeueResults(of: [ItemID("a"), ItemID("b")], in: batch)
        #expect(requeued == 2)
        let found = try jobs.batches().first
        #expect(found?.state == .running)
        let waiting = try jobs.unfinishedJobs(of: batch, after: JobID(0), limit: 10)
        #expect(waiting.map(\.id) == [JobID(1), JobID(2)])
    }

    @Test func damagedShardsAreSetAside() throws {
        let kept = try tree.seal([ResultsTree.row("a")], as: 1)
        let damaged = try tree.seal([ResultsTree.row("b")], as: 2)
        try commit(["a", "b"], in: [kept, damaged])
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: tree.path(damaged)))
        let found = try verification()
        #expect(found.count(.damaged) == 1 && found.missing == ["b"])
        let moved = try found.setDamagedAside(in: tree.folder)
        #expect(moved == [damaged.path])
        let name = try #require(damaged.path.split(separator: "/").last)
        let contents = FileManager.default.contents(atPath: "\(tree.folder.path)/damaged/\(name)")
        #expect(contents == Data("nonsense".utf8))
        let after = try verification()
        #expect(after.count(.damaged) == 0 && after.missing == ["b"])
        // The same name may come again, from a backup that was no better.
        try Data("again".utf8).write(to: URL(fileURLWithPath: tree.path(damaged)))
        let again = try verification().setDamagedAside(in: tree.folder)
        let files = try FileManager.default.contentsOfDirectory(atPath: tree.folder.path + "/damaged")
        #expect(again == [damaged.path] && files.count == 2)
    }
}
