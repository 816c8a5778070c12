import Foundation
import ResultFiles
import TestSupport
import Testing

/// What is wrong with a file is told apart from what keeps it from being read.
@Suite struct UnreadableShardTests {
    let results: ResultsFixture
    let shard: SealedShard

    init() throws {
        results = try ResultsFixture()
        var sample = SampleRows(seed: 3)
        shard = try results.seal(sample.rows(2))
    }

    @Test(arguments: [
        "shard.open=error:EACCES", "shard.open=error:EMFILE", "shard.open=error:ESTALE", "shard.read=error:EIO",
    ])
    func aSystemThatRefusesSaysNothingAboutTheFile(failpoint: String) async throws {
        await #expect(processExitsWith: .success) {
            [path = results.path(shard) as String, failpoint = failpoint as String] in
            setenv("WINNOW_FAILPOINTS", failpoint, 1)
            let failure = code { _ = try ShardReader(path) }
            precondition(failure == .unavailable, "\(String(describing: failure))")
        }
        #expect(try ShardReader(results.path(shard)).rowCount == 2)
    }

    @Test func tooManyOpenFilesSayNothingAboutTheFile() async throws {
        await #expect(processExitsWith: .success) { [path = results.path(shard) as String] in
            var limit = rlimit(rlim_cur: 64, rlim_max: 64)
            precondition(setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0)
            while dup(STDERR_FILENO) >= 0 {}
            let failure = code { _ = try ShardReader(path) }
            precondition(failure == .unavailable, "\(String(describing: failure))")
        }
    }

    /// Some network disks have no locks, and a shard needs none: it does not change.
    @Test func aShardIsReadWithoutALock() throws {
        let descriptor = open(results.path(shard), O_RDONLY)
        defer { close(descriptor) }
        #expect(flock(descriptor, LOCK_EX) == 0)
        #expect(try ShardReader(results.path(shard)).verify().count == 2)
    }

    @Test func whatSomebodyMayBeWritingIsNotDamaged() throws {
        let file = try #require(FileHandle(forUpdatingAtPath: results.path(shard)))
        #expect(flock(file.fileDescriptor, LOCK_EX) == 0)
        try file.truncate(atOffset: 1000)
        #expect(code { _ = try ShardReader(results.path(shard)) } == .unavailable)
        try file.close()
        #expect(code { _ = try ShardReader(results.path(shard)) } == .corrupt)
    }

    @Test func aFolderThatCannotBeListedIsUnavailableAndNotEmpty() throws {
        #expect(code { _ = try ResultsFolder("/nowhere").shards() } == .notFound)
        let loop = "\(results.folder.path)/shards/ff"
        try FileManager.default.createSymbolicLink(atPath: loop, withDestinationPath: loop)
        #expect(code { _ = try results.folder.shards() } == .unavailable)
    }

    @Test(.enabled(if: SystemPython.hasH5py, "needs Debian's python3-h5py"))
    func infinitiesAreFound() throws {
        #expect(try ShardReader(results.path(shard)).verify().count == 2)
        _ = try SystemPython.run(
            """
            import h5py, sys
            with h5py.File(sys.argv[1], "r+") as f:
                f["features/data"][0, 0] = float("inf")
            """, results.path(shard))
        #expect(code { _ = try ShardReader(results.path(shard)).verify() } == .corrupt)
    }
}
