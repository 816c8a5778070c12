import Analysis
import Foundation
import JobVocabulary
import ResultFiles
import TestSupport
import Testing

@Suite struct MergingTests {
    let tree: ResultsTree

    init() throws {
        tree = try ResultsTree()
        // Two workers, failed jobs, a superseded attempt, and rows of another method.
        try tree.seal(["a", "b", "c"].map { ResultsTree.row($0) }, as: 1)
        try tree.seal(
            [ResultsTree.row("d"), ResultsTree.failure("e")], as: 2, header: ResultsTree.header(worker: "w-2"))
        try tree.seal([ResultsTree.row("b", attempt: 2), ResultsTree.row("f")], as: 3)
        try tree.seal(
            [ResultsTree.row("g", method: "none", features: false)], as: 4,
            header: ResultsTree.header(method: "none", features: false))
    }

    private func merging() -> Merging {
        Merging(tree.folder, committed: nil, host: "here", software: "winnow test")
    }

    /// Every visible row with all that it holds, by the catalogue.
    private func visibleRows() throws -> [String: ResultRow] {
        let catalogue = try Catalogue(tree.folder)
        var rows: [String: ResultRow] = [:]
        for found in try catalogue.query("SELECT id, shard, row FROM jobs").rows {
            guard case .text(let id) = found[0], case .text(let shard) = found[1], case .integer(let row) = found[2]
            else { continue }
            rows[id] = try ShardReader("\(tree.folder.path)/\(shard)").rows(Int(row)..<Int(row) + 1).first
        }
        return rows
    }

    @Test func theSameRowsAreInFewerFiles() throws {
        let before = try visibleRows()
        let summary = try merging().run()
        #expect(summary.shardsBefore == 4 && summary.shardsAfter == 2 && summary.rows == 7)
        #expect(try visibleRows() == before)
        #expect(try Verification(tree.folder, results: nil).findings.isEmpty)
        let merged = try ShardReader("\(tree.folder.path)/\(summary.written[0])")
        #expect(merged.rowCount == 6 && merged.header.worker == "winnow results merge")
        let origins = try merged.origins()
        #expect(Set(origins.map(\.source.worker)) == ["w-1", "w-2"])
        #expect(Set(origins.map(\.source.host)) == ["host-w-1", "host-w-2"])
        #expect(origins.allSatisfy { $0.source.sha256.count == 64 })
        #expect(origins.contains { $0.identity == RowIdentity(shard: "\(ResultsTree.id(3))", row: 0) })
        // Merging again changes nothing, and merging what was merged keeps the origins.
        #expect(try merging().run().written == [])
        try tree.seal([ResultsTree.row("h")], as: 9)
        let again = try merging().run()
        #expect(again.written.count == 1)
        let latest = try ShardReader("\(tree.folder.path)/\(again.written[0])")
        let latestRows = try latest.origins().map(\.identity)
        #expect(latestRows.count == 7 && Set(latestRows).isSuperset(of: origins.map(\.identity)))
        #expect(try visibleRows().filter { $0.key != "h" } == before)
    }

    @Test func jobsAboutNoPictureStayAsTheyAre() throws {
        try tree.seal([ResultsTree.textAlone("i"), ResultsTree.textAlone("j")], as: 5)
        try tree.seal([ResultsTree.textAlone("k"), ResultsTree.row("l")], as: 6)
        let before = try visibleRows()
        #expect(before.count == 11 && before["i"] == ResultsTree.textAlone("i"))
        let summary = try merging().run()
        #expect(summary.shardsBefore == 6 && summary.shardsAfter == 2 && summary.rows == 11)
        #expect(try visibleRows() == before)
        #expect(try Verification(tree.folder, results: nil).findings.isEmpty)
    }

    @Test(arguments: StoredTrace.allCases) func jobsAboutNoPictureAloneAreMergedToo(trace: StoredTrace) throws {
        let other = try ResultsTree()
        var header = ResultsTree.header()
        header.trace = trace
        for number in UInt64(1)...3 {
            try other.seal([ResultsTree.textAlone("job-\(number)")], as: number, header: header)
        }
        let summary = try Merging(other.folder, committed: nil, host: "", software: "").run()
        #expect(summary.shardsAfter == 1 && summary.rows == 3)
        let merged = try ShardReader("\(other.folder.path)/\(summary.written[0])")
        #expect(try merged.verify().map(\.id).sorted() == ["job-1", "job-2", "job-3"])
        #expect(merged.header.trace == trace && merged.header.features == ResultsTree.header().features)
    }

    @Test func shardsThatAreLargeEnoughStay() throws {
        let shards = try tree.folder.shards()
        let merging = Merging(tree.folder, committed: nil, targetBytes: 1, host: "", software: "")
        let summary = try merging.run()
        // Only the shard with a superseded row is written anew.
        #expect(summary.written.count == 1 && summary.shardsAfter == 4)
        #expect(Set(try tree.folder.shards()).intersection(shards).count == 3)
    }

    @Test func killedAnywhereItGoesOn() async throws {
        let before = try visibleRows()
        let path = tree.folder.path
        for step in 0..<8 {
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, step = step as Int] in
                var steps = 0
                _ = try Merging(ResultsFolder(path), committed: nil, host: "", software: "").run { _ in
                    if steps == step { kill(getpid(), SIGKILL) }
                    steps += 1
                }
                kill(getpid(), SIGKILL)  // it was done before
            }
            #expect(try visibleRows() == before, "killed at step \(step)")
        }
        _ = try merging().run()
        #expect(try visibleRows() == before)
        #expect(try tree.folder.shards().count == 2)
    }

    @Test func leftoversAreSwept() throws {
        let path = tree.folder.path
        let part = "\(path)/tmp/\(ResultsTree.id(9)).h5.part"
        try Data("half".utf8).write(to: URL(fileURLWithPath: part))
        try FileManager.default.setAttributes([.modificationDate: Date.now - 5], ofItemAtPath: part)
        let (old, young) = ("\(path)/.catalogue.sqlite-old", "\(path)/.catalogue.sqlite-young")
        for file in [old, young] {
            try Data("half".utf8).write(to: URL(fileURLWithPath: file))
            try FileManager.default.setAttributes([.modificationDate: Date.now - 60], ofItemAtPath: file)
        }
        let descriptor = open(young, O_RDONLY)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX) == 0)
        _ = try merging().run()
        #expect(!FileManager.default.fileExists(atPath: part) && !FileManager.default.fileExists(atPath: old))
        // Another process writes this one.
        #expect(FileManager.default.fileExists(atPath: young))
    }

    @Test func howeverOftenItIsKilledItGetsOn() async throws {
        let other = try ResultsTree()
        for number in UInt64(1)...32 {
            try other.seal([ResultsTree.row("a\(number)"), ResultsTree.row("b\(number)")], as: number)
        }
        let path = other.folder.path
        // Killed before any file of more than eight rows is whole, as by somebody who gives it little time.
        for _ in 0..<8 {
            await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
                _ = try Merging(ResultsFolder(path), committed: nil, targetBytes: 512 << 10, host: "", software: "").run
                {
                    let rows = $0.split(separator: " ").dropLast().last.flatMap { Int($0) } ?? 0
                    if $0.hasPrefix("write "), rows > 8 { kill(getpid(), SIGKILL) }
                }
                kill(getpid(), SIGKILL)
            }
        }
        let left = try other.folder.shards().count
        #expect(left <= 16, "\(left) shards of 32 are left")
        let summary = try Merging(other.folder, committed: nil, host: "", software: "").run()
        #expect(summary.shardsAfter == 1 && summary.rows == 64)
        let names = try FileManager.default.contentsOfDirectory(atPath: path)
        #expect(names.filter { $0.hasPrefix(".") }.isEmpty, "\(names)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: path + "/tmp").isEmpty)
        #expect(try Verification(other.folder, results: nil).visible == 64)
    }

    @Test func sealedShardsThatNeverCountedLeave() throws {
        var writer = ShardWriter(folder: tree.folder, header: ResultsTree.header())
        try writer.add(ResultsTree.row("a", attempt: 7), at: .now)
        let shard = try writer.seal(as: ResultsTree.id(20), into: .pending)
        let name = URL(fileURLWithPath: shard.path).lastPathComponent
        #expect(FileManager.default.fileExists(atPath: "\(tree.folder.path)/pending/\(name)"))
        let before = try visibleRows()
        _ = try merging().run()
        #expect(try visibleRows() == before)
        #expect(FileManager.default.fileExists(atPath: "\(tree.folder.path)/superseded/\(name)"))
    }

    @Test func severalAttemptsAreSaid() throws {
        #expect(try merging().contestedJobs() == ["b"])
        _ = try merging().run()
        // Copies of merged rows, as a merge that was killed leaves them, are one row.
        let merged = try tree.folder.shards()
        let other = try ResultsTree()
        try other.seal(["a", "c"].map { ResultsTree.row($0) }, as: 1)
        #expect(try merging().contestedJobs() == [])
        for shard in try other.folder.shards() {
            let target = URL(fileURLWithPath: "\(tree.folder.path)/\(shard)")
            try FileManager.default.createDirectory(
                at: target.deletingLastPathComponent(), withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: "\(other.folder.path)/\(shard)", toPath: target.path)
        }
        #expect(try tree.folder.shards().count == merged.count + 1)
        #expect(try merging().contestedJobs() == ["c"])
    }

    @Test func damageStopsItBeforeAnythingIsRemoved() throws {
        let shards = try tree.folder.shards()
        try Data("nonsense".utf8).write(to: URL(fileURLWithPath: "\(tree.folder.path)/\(shards[0])"))
        #expect(throws: AnalysisError.self) { try merging().run() }
        #expect(try tree.folder.shards() == shards)
    }
}
