import Foundation
import ResultFiles
import TestSupport
import Testing

@Suite struct CommitTests {
    let results: ResultsFixture

    init() throws { results = try ResultsFixture() }

    @Test func aSealedShardIsTheOnlyFile() throws {
        var sample = SampleRows(seed: 1)
        var writer = try results.writer(sample.rows(4))
        let shard = try writer.seal(as: ResultsFixture.id(1))
        let id = ResultsFixture.id(1)
        #expect(shard.path == "shards/\(id.folder)/\(id).h5")
        #expect(results.files() == [shard.path])
        #expect(writer.rows.isEmpty && writer.byteCount == 0 && writer.deadline == nil)
    }

    @Test func aWriterIsDueByRowsBytesOrAge() throws {
        var sample = SampleRows(seed: 2)
        let rows = sample.rows(3)
        let start = ContinuousClock.now
        func writer(_ limits: ShardWriter.Limits) -> ShardWriter {
            ShardWriter(folder: results.folder, header: SampleRows.header(), limits: limits)
        }
        var byRows = writer(ShardWriter.Limits(rows: 2))
        #expect(!byRows.isDue(at: start.advanced(by: .seconds(100))))
        try byRows.add(rows[0], at: start)
        #expect(!byRows.isDue(at: start))
        try byRows.add(rows[1], at: start)
        #expect(byRows.isDue(at: start))

        var byAge = writer(ShardWriter.Limits(age: .seconds(10)))
        try byAge.add(rows[0], at: start)
        try byAge.add(rows[1], at: start.advanced(by: .seconds(9)))
        #expect(byAge.deadline == start.advanced(by: .seconds(10)))
        #expect(!byAge.isDue(at: start.advanced(by: .seconds(9.9))))
        #expect(byAge.isDue(at: start.advanced(by: .seconds(10))))

        var byBytes = writer(ShardWriter.Limits(bytes: 1500))
        try byBytes.add(rows[0], at: start)
        try byBytes.add(rows[1], at: start)
        #expect(byBytes.isDue(at: start))
        #expect(byBytes.removeAll() == Array(rows[..<2]))
        #expect(!byBytes.isDue(at: start.advanced(by: .seconds(100))))
    }

    @Test func whatFailsLeavesNothingAndKeepsItsRows() throws {
        var sample = SampleRows(seed: 3)
        let rows = sample.rows(5)
        var writer = try results.writer(rows)
        let id = ResultsFixture.id(1)
        // A file where the shard's folder should be: building works, publishing does not.
        let obstacle = "\(results.folder.path)/shards/\(id.folder)"
        try Data().write(to: URL(fileURLWithPath: obstacle))
        let publishing = code { _ = try writer.seal(as: id) }
        #expect(publishing == .writeFailed)
        #expect(results.files() == ["shards/\(id.folder)"])
        #expect(writer.rows == rows)

        // No folder for parts: building fails.
        try FileManager.default.removeItem(atPath: obstacle)
        try FileManager.default.removeItem(atPath: "\(results.folder.path)/tmp")
        let building = code { _ = try writer.seal(as: id) }
        #expect(building == .writeFailed)
        #expect(results.files() == [])
        #expect(writer.rows == rows)

        try results.folder.prepare()
        let shard = try writer.seal(as: id)
        let read = try ShardReader(results.path(shard)).rows()
        #expect(read == rows)
    }

    @Test func aShardIsNeverReplaced() throws {
        var sample = SampleRows(seed: 4)
        let first = sample.rows(2)
        let second = sample.rows(3)
        let shard = try results.seal(first)
        var writer = try results.writer(second)
        let failure = code { _ = try writer.seal(as: ResultsFixture.id(1)) }
        #expect(failure == .writeFailed)
        #expect(writer.rows == second)
        #expect(results.files() == [shard.path])
        let kept = try ShardReader(results.path(shard)).rows()
        #expect(kept == first)
        let next = try writer.seal(as: ResultsFixture.id(2))
        #expect(Set(results.files()) == [shard.path, next.path])
    }

    @Test func somebodyElsesPartIsLeftAlone() throws {
        var sample = SampleRows(seed: 5)
        var writer = try results.writer(sample.rows(2))
        let part = "\(results.folder.path)/tmp/\(ResultsFixture.id(1)).h5.part"
        try Data("theirs".utf8).write(to: URL(fileURLWithPath: part))
        let failure = code { _ = try writer.seal(as: ResultsFixture.id(1)) }
        #expect(failure == .writeFailed)
        #expect(FileManager.default.contents(atPath: part) == Data("theirs".utf8))
    }

    @Test func onlyStalePartsAreSwept() throws {
        var sample = SampleRows(seed: 6)
        let shard = try results.seal(sample.rows(1))
        let now = Date.now
        let (old, young) = ("\(ResultsFixture.id(7)).h5.part", "\(ResultsFixture.id(8)).h5.part")
        // The folder may be one where other programs keep their parts, such as a system's own.
        for (name, age) in [
            (old, 601.0), (young, 599), ("old.txt", 9_999), ("download.part", 9_999), ("a.h5.part", 9_999),
        ] {
            let path = "\(results.folder.path)/tmp/\(name)"
            try Data().write(to: URL(fileURLWithPath: path))
            try FileManager.default.setAttributes([.modificationDate: now - age], ofItemAtPath: path)
        }
        let folder = "\(results.folder.path)/tmp/\(ResultsFixture.id(9)).h5.part"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        try FileManager.default.setAttributes([.modificationDate: now - 9_999], ofItemAtPath: folder)
        #expect(results.folder.sweepStaleParts(now: now) == [old])
        let left = results.files().filter { $0.hasPrefix("tmp/") && !$0.contains("\(ResultsFixture.id(9))") }
        #expect(Set(left) == ["tmp/old.txt", "tmp/download.part", "tmp/a.h5.part", "tmp/\(young)"])
        #expect(results.files().contains(shard.path) && FileManager.default.fileExists(atPath: folder))
        #expect(ResultsFolder("/nowhere").sweepStaleParts(now: now) == [])
    }

    @Test func aFullDiskPoisonsTheShardOnly() async throws {
        // The limit on file sizes is the process's, hence a process of its own.
        await #expect(processExitsWith: .success) { [path = results.folder.path as String] in
            signal(SIGXFSZ, SIG_IGN)
            var sample = SampleRows(seed: 7)
            let rows = sample.rows(200)
            var writer = ShardWriter(folder: ResultsFolder(path), header: SampleRows.header())
            for row in rows { try writer.add(row, at: .now) }
            for size in [0, 1000, 30_000, 100_000] as [UInt] {
                var limit = rlimit(rlim_cur: size, rlim_max: rlim_t.max)
                setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
                let failure = code { _ = try writer.seal(as: ResultsFixture.id(UInt64(size))) }
                precondition(failure == .noSpace, "\(size): \(String(describing: failure))")
                precondition(writer.rows == rows)
            }
            var limit = rlimit(rlim_cur: rlim_t.max, rlim_max: rlim_t.max)
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            let shard = try writer.seal(as: ResultsFixture.id(9))
            let read = try ShardReader("\(path)/\(shard.path)").rows()
            precondition(read == rows)
        }
        #expect(results.files().count == 1)
        #expect(results.files().allSatisfy { $0.hasPrefix("shards/") })
    }

    @Test(arguments: 1...6)
    func killedAtAnyMomentEveryVisibleShardIsWhole(run: Int) async throws {
        let path = results.folder.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String, run = run as Int] in
            Thread.detachNewThread {
                usleep(UInt32(60_000 + 23_000 * run))
                kill(getpid(), SIGKILL)
            }
            var sample = SampleRows(seed: UInt64(run))
            for number in 1... {
                var writer = ShardWriter(folder: ResultsFolder(path), header: SampleRows.header())
                for row in sample.rows(40) { try writer.add(row, at: .now) }
                _ = try writer.seal(as: ResultsFixture.id(UInt64(number)))
            }
        }
        // Sealed names are a beginning of the sequence, and all of them read.
        var sample = SampleRows(seed: UInt64(run))
        let shards = results.files().filter { $0.hasPrefix("shards/") }
        for number in 1..<(1 + shards.count) {
            let id = ResultsFixture.id(UInt64(number))
            let read = try ShardReader("\(path)/shards/\(id.folder)/\(id).h5").rows()
            #expect(read == sample.rows(40))
        }
        // At most one was being built; it may have been linked but not yet unlinked.
        let parts = results.files().filter { $0.hasPrefix("tmp/") }
        #expect(parts.count <= 1)
        #expect(results.folder.sweepStaleParts(now: .now + 3600).count == parts.count)
        #expect(results.files() == shards)
    }
}
