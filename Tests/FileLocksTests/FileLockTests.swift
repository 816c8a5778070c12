import FileLocks
import Foundation
import Glibc
import TestSupport
import Testing

@Suite struct FileLockTests {
    private let folder: TemporaryDirectory

    init() throws { folder = try TemporaryDirectory() }

    @Test func aSecondLockIsRefusedUntilTheFirstIsGone() throws {
        let path = folder.file("lock").path
        for place in [FileLock.Place.file(path), .folder(folder.url.path)] {
            let first = try FileLock(place, waits: false)
            #expect(throws: FileLock.Failure.refused) { _ = try FileLock(place, waits: false) }
            first.end()
            let second = try FileLock(place, waits: false)
            #expect(throws: FileLock.Failure.refused) { _ = try FileLock(place, waits: false) }
            _ = consume second
            let third = try FileLock(place, waits: true)
            third.end()
        }
    }

    /// A process that is being started has a copy of every descriptor for a moment.
    @Test func aLockThatHasGoneIsNotHeldByACopyOfItsDescriptor() throws {
        let path = folder.url.resolvingSymlinksInPath().appendingPathComponent("lock").path
        let lock = try FileLock(.file(path), waits: false)
        let descriptors = try FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd").compactMap { Int32($0) }
        let own = try #require(
            descriptors.first {
                (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/fd/\($0)")) == path
            })
        let copy = dup(own)
        defer { close(copy) }
        lock.end()
        let next = try FileLock(.file(path), waits: false)
        next.end()
    }

    @Test func aLookTellsWhetherAFileIsHeldAndChangesNothing() throws {
        let path = folder.file("lock").path
        #expect(!FileLock.isHeld(path))
        #expect(!FileManager.default.fileExists(atPath: path))
        let lock = try FileLock(.file(path), waits: false)
        #expect(FileLock.isHeld(path))
        lock.end()
        #expect(!FileLock.isHeld(path))
    }

    @Test func whatAFileHoldsStaysAsItIs() throws {
        let file = folder.file("settings")
        try Data("kept".utf8).write(to: file)
        let lock = try FileLock(.file(file.path), waits: false)
        #expect(try Data(contentsOf: file) == Data("kept".utf8))
        lock.end()
        #expect(try Data(contentsOf: file) == Data("kept".utf8))
    }

    @Test func whoWaitsGetsItWhenItIsFree() throws {
        let path = folder.url.path
        let first = try FileLock(.folder(path), waits: false)
        let asks = DispatchSemaphore(value: 0)
        let has = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            asks.signal()
            do {
                let second = try FileLock(.folder(path), waits: true)
                has.signal()
                second.end()
            } catch {
                Issue.record(error)
            }
        }
        asks.wait()
        #expect(has.wait(timeout: .now() + 0.1) == .timedOut)
        first.end()
        #expect(has.wait(timeout: .now() + 30) == .success)
    }

    @Test func whatCannotBeOpenedIsToldFromWhatIsHeld() throws {
        let missing = folder.file("missing")
        let file = folder.file("file")
        try Data().write(to: file)
        let places: [(FileLock.Place, Int32)] = [
            (.file(missing.appendingPathComponent("lock").path), ENOENT), (.file(folder.url.path), EISDIR),
            (.folder(missing.path), ENOENT), (.folder(file.path), ENOTDIR),
        ]
        for (place, number) in places {
            let failure = FileLock.Failure.cannotOpen(reason: String(cString: strerror(number)))
            for waits in [false, true] {
                #expect(throws: failure) { _ = try FileLock(place, waits: waits) }
            }
        }
    }
}
