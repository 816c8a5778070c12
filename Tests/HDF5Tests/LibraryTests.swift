import Foundation
import HDF5
import Synchronization
import TestSupport
import Testing

@Suite struct LibraryTests {
    @Test func callersTakeTurns() async throws {
        let turns = Turns()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<8 {
                group.addTask { for _ in 0..<200 { turns.take() } }
            }
        }
        #expect(turns.overlaps.load(ordering: .relaxed) == 0)
        #expect(HDF5Library.version.hasPrefix("1."))
    }

    private final class Turns: Sendable {
        let inside = Atomic<Int>(0)
        let overlaps = Atomic<Int>(0)

        func take() {
            HDF5Library.run {
                if inside.wrappingAdd(1, ordering: .relaxed).oldValue != 0 {
                    overlaps.wrappingAdd(1, ordering: .relaxed)
                }
                // A call inside of a turn joins it instead of waiting for itself.
                _ = HDF5Library.version
                inside.wrappingSubtract(1, ordering: .relaxed)
            }
        }
    }

    @Test func errorsBelongToTheirCaller() async throws {
        let folder = try TemporaryDirectory()
        let paths = (0..<40).map { folder.file("absent-\($0).h5").path }
        let messages = await withTaskGroup(of: (Int, String).self) { group in
            for (index, path) in paths.enumerated() {
                group.addTask {
                    do {
                        try File.reading(path) { _ in }
                        return (index, "")
                    } catch { return (index, "\(error)") }
                }
            }
            return await group.reduce(into: [:]) { $0[$1.0] = $1.1 }
        }
        for (index, path) in paths.enumerated() {
            let message = try #require(messages[index])
            #expect(message.contains(path) && message.contains("does not exist"))
        }
    }

    @Test func anObjectLeftOpenIsAnErrorOnClosing() throws {
        let folder = try TemporaryDirectory()
        let failure = code {
            try HDF5Library.run { () throws in
                let file = try File.create(folder.file("open.h5").path)
                let group = try file.root.createGroup("left")
                try file.close()
                try group.close()
            }
        }
        #expect(failure == .other)
    }

    @Test func callsOutsideOfATurnTrap() async {
        await #expect(processExitsWith: .failure) {
            _ = try? File.open("/nowhere.h5")
        }
    }

    @Test func aFullDiskIsSaidSoAndTheProcessEndsWell() async throws {
        let folder = try TemporaryDirectory()
        // A limit on file sizes stands in for the full disk; it is the process's, hence a process of its own.
        await #expect(processExitsWith: .success) { [path = folder.file("full.h5").path as String] in
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 100_000, rlim_max: 100_000)
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            var failures: [HDF5Error.Code?] = []
            for layout in [DatasetLayout.contiguous, .chunked([1000]), .chunked([1000], compressed: true)] {
                try? FileManager.default.removeItem(atPath: path)
                let values = (0..<200_000).map { _ in UInt64.random(in: 0...UInt64.max) }
                failures.append(code { try File.writing(path) { try $0.root.write(values, to: "x", layout: layout) } })
            }
            precondition(failures == [.noSpace, .noSpace, .noSpace], "\(failures)")
        }
    }
}
