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

    /// A reference that keeps a handle past its closure.
    private final class Keeper {
        var group: Group?
    }

    @Test func anObjectLeftOpenIsAnErrorAndHarmsNoOtherFile() throws {
        let folder = try TemporaryDirectory()
        let path = folder.file("open.h5").path
        let keeper = Keeper()
        let failure = code {
            try File.writing(path) { file in keeper.group = .some(try file.root.createGroup("left")) }
        }
        #expect(failure == .other)
        #expect(!FileManager.default.fileExists(atPath: path))
        keeper.group = nil
        try File.writing(path) { file in try file.root.write([1], to: "x") }
    }

    @Test func whatThrowsWhileBuildingLeavesNothing() throws {
        let folder = try TemporaryDirectory()
        let path = folder.file("half.h5").path
        let failure = code {
            try File.writing(path) { file in
                try file.root.write([1], to: "x")
                try file.root.write([2], to: "x")
            }
        }
        #expect(failure == .alreadyExists)
        #expect(!FileManager.default.fileExists(atPath: path))
        let nowhere = code { try File.writing(folder.file("absent/x.h5").path) { _ in } }
        #expect(nowhere == .notFound)
    }

    @Test func callsOutsideOfATurnTrap() async {
        await #expect(processExitsWith: .failure) {
            let keeper = Keeper()
            _ = try? File.image("x") { file in keeper.group = .some(try file.root.createGroup("left")) }
            _ = try? keeper.group?.names()
        }
    }

    @Test func aFullDiskIsSaidSoAndLeavesNothing() async throws {
        let folder = try TemporaryDirectory()
        // A limit on file sizes stands in for the full disk; it is the process's, hence a process of its own.
        await #expect(processExitsWith: .success) { [path = folder.file("full.h5").path as String] in
            signal(SIGXFSZ, SIG_IGN)
            var limit = rlimit(rlim_cur: 100_000, rlim_max: 100_000)
            setrlimit(__rlimit_resource_t(RLIMIT_FSIZE.rawValue), &limit)
            let failure = code {
                try File.writing(path) { try $0.root.write([Double](repeating: 1, count: 100_000), to: "x") }
            }
            precondition(failure == .noSpace)
            precondition(!FileManager.default.fileExists(atPath: path))
            try File.writing(path) { try $0.root.write([1], to: "x") }
        }
    }
}
