import Analysis
import Foundation
import JobModel
import JobStore
import ResultFiles
import TestSupport
import Testing

/// A worker and its job store, killed with kill -9 at any step of a shard's life: rows that were committed are readable,
/// and no others are visible. `WINNOW_KILLS=200` asks for more than the 20 times of every day.
@Suite struct KillTests {
    static let kills = ProcessInfo.processInfo.environment["WINNOW_KILLS"].flatMap(Int.init) ?? 20
    static let batch = BatchID("demo-1")

    @Test func committedRowsAreThereAndNoOthers() async throws {
        let tree = try ResultsTree()
        let path = tree.folder.path
        var random = SeededGenerator(seed: 2026)
        for _ in 0..<Self.kills {
            // Steps of a shard's life: opening, assigning, seven of the file, reporting, committing.
            let step = Int.random(in: 0..<60, using: &random)
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, step = step as Int] in
                try KillTests.work(path, dyingAt: step)
            }
            let results = try StoredResults(store: Self.store(path), folder: path, named: nil)
            let verification = try Verification(tree.folder, results: results)
            let found = verification.findings.filter { $0.kind != .orphaned && $0.kind != .superseded }
            #expect(found == [], "killed at step \(step)")
            let committed = results.jobs.filter { $0.shard != nil }
            #expect(verification.visible == committed.count)
            let catalogue = try Catalogue(tree.folder) { CommittedRows(results) }
            let visible = try catalogue.query("SELECT id, attempt FROM jobs ORDER BY id").rows
            let expected: [[Scalar?]] = committed.map { [.text($0.item), .integer(Int64($0.epoch))] }
            #expect(visible == expected)
        }
        // What the survivors say is what the jobs said.
        for shard in try tree.folder.shards() {
            for row in try ShardReader("\(path)/\(shard)").rows() {
                #expect(row == ResultsTree.row(row.id, attempt: row.attempt))
            }
        }
    }

    private static func store(_ path: String) -> URL { URL(fileURLWithPath: path + "/jobs.sqlite") }

    /// Runs jobs until it dies, a few a shard; there are more than all of its lives can run.
    static func work(_ path: String, dyingAt last: Int) throws {
        var steps = 0
        func step() {
            if steps == last { kill(getpid(), SIGKILL) }
            steps += 1
        }
        var store = try JobStore(at: Self.store(path))
        if try !store.contains(batch) {
            try store.openBatch(batch, description: "{}", results: path, at: .now)
            _ = try store.add(
                (0..<5000).map { NewItem(id: ItemID(String(format: "job-%04d", $0)), images: ["x.png"], json: "{}") },
                to: batch)
            try store.closeBatch(batch, at: .now)
            try store.commit()
        }
        while true {
            step()
            let jobs = try store.unfinishedJobs(of: batch, after: JobID(0), limit: 5)
            let again = jobs.filter(\.wasRunning).map {
                JobTransition.requeued(Lease(job: $0.id, epoch: $0.epoch), toll: .none, because: nil)
            }
            let leases = jobs.map { Lease(job: $0.id, epoch: $0.epoch.next) }
            try store.apply(again + leases.map { .assigned($0, to: WorkerName("w")) }, at: .now)
            try store.commit()
            step()
            var writer = ShardWriter(folder: ResultsFolder(path), header: ResultsTree.header())
            for lease in leases {
                let id = String(format: "job-%04d", lease.job.rawValue - 1)
                try writer.add(ResultsTree.row(id, attempt: lease.epoch.rawValue), at: .now)
            }
            step()
            var random = SystemRandomNumberGenerator()
            let id = ULID(milliseconds: UInt64(Date().timeIntervalSince1970 * 1000), using: &random)
            let sealed = try writer.seal(as: id) { _ in step() }
            step()
            try store.add(
                ShardRecord(
                    batch: batch, path: sealed.path, sha256: sealed.sha256, bytes: UInt64(sealed.bytes),
                    worker: WorkerName("w")))
            let commits = leases.enumerated().map { row, lease in
                JobTransition.committed(
                    RowCommit(
                        lease: lease, shard: sealed.path, row: UInt32(row), error: nil, summary: JobSummary()))
            }
            step()
            try store.apply(commits, at: .now)
            step()
            try store.commit()
            step()
        }
    }
}
