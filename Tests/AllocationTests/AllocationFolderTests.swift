import Allocation
import FileLocks
import Foundation
import TestSupport
import Testing

@Suite struct AllocationFolderTests {
    private func settings(_ name: String) -> QueueSettings {
        QueueSettings(
            name: name, token: "abcde", timeLimit: 600, notice: 60, workersPerAllocation: 1, capacity: 8, backlog: 2,
            maxWorkers: 64, idleTimeout: 300, endpoint: "tcp://head:5757", program: "/opt/winnow", workerOptions: [],
            engineOptions: ["--partition", "a b"])
    }

    @Test("queues, states and events are read as they were written")
    func roundTrip() throws {
        let directory = try TemporaryDirectory()
        let folder = AllocationFolder(directory.file("queues"))
        #expect(folder.names().isEmpty)
        try folder.save(settings("b"))
        try folder.save(settings("a"))
        #expect(folder.names() == ["a", "b"])
        #expect(try folder.queue("b") == settings("b"))
        var state = QueueState(of: settings("a"))
        _ = state.step(
            settings("a"), jobs: [], demand: Demand(waiting: 100, hindrance: "", workers: []),
            at: Date(timeIntervalSince1970: 1000))
        _ = state.submitted(1, .refused("no"), at: Date(timeIntervalSince1970: 1001))
        try folder.save(state)
        #expect(try folder.state(of: settings("a")) == state)
        var later = settings("a")
        later.token = "fghjk"
        #expect(try folder.state(of: later).allocations.isEmpty, "a later queue of the same name has done nothing")
        let event = Event(at: Date(timeIntervalSince1970: 1002), queue: "a", allocation: "x", text: "two\nlines")
        try folder.note(event)
        try folder.note(Event(at: Date(timeIntervalSince1970: 1003), queue: "b", text: "other"))
        #expect(folder.events(of: "a") == [event])
        #expect(folder.events().count == 2)
        folder.forget("a")
        #expect(folder.names() == ["b"])
        #expect(folder.events(of: "a") == [event], "what happened stays")
    }

    @Test("a file that cannot be understood is named")
    func broken() throws {
        let directory = try TemporaryDirectory()
        let folder = AllocationFolder(directory.file("queues"))
        try folder.save(settings("a"))
        try Data("{".utf8).write(to: directory.file("queues/a.queue.json"))
        let error = #expect(throws: AllocationError.self) { try folder.queue("a") }
        #expect(error?.code == .unreadable)
        #expect(error?.message.contains("a.queue.json") == true)
    }

    private typealias Change = @Sendable (inout QueueSettings) -> Void
    private static let flaws: [(option: String, change: Change)] = [
        ("--workers-per-allocation", { $0.workersPerAllocation = 0 }),
        ("--workers-per-allocation", { $0.workersPerAllocation = 200_000 }),
        ("--backlog", { $0.backlog = 1001 }),
        ("--max-workers", { ($0.workersPerAllocation, $0.maxWorkers) = (4, 3) }),
        ("--max-workers", { $0.maxWorkers = 100_001 }),
        ("--time-limit", { $0.timeLimit = 59 }),
        ("--time-limit", { $0.timeLimit = 2e9 }),
        ("--notice", { $0.notice = 0.5 }),
        ("--notice", { $0.notice = $0.timeLimit }),
        ("--idle-timeout", { $0.idleTimeout = 2e9 }),
        ("--capacity", { $0.capacity = 5000 }),
    ]

    @Test("a number that no queue can have is named by its option, and a file that holds it is refused")
    func numbersOutOfBounds() throws {
        let directory = try TemporaryDirectory()
        let folder = AllocationFolder(directory.file("queues"))
        #expect(settings("a").flaw == nil)
        for (option, change) in Self.flaws {
            var settings = settings("a")
            change(&settings)
            #expect(settings.flaw?.hasPrefix(option) == true, "\(settings)")
            try folder.save(settings)
            let error = #expect(throws: AllocationError.self) { try folder.queue("a") }
            #expect(error?.message.contains(option) == true)
        }
    }

    @Test("what a queue had done is kept when its file is deleted, and a new queue of its name does not overwrite it")
    func orphans() throws {
        let directory = try TemporaryDirectory()
        let folder = AllocationFolder(directory.file("queues"))
        let old = settings("a")
        var state = QueueState(of: old)
        _ = state.step(
            old, jobs: [], demand: Demand(waiting: 8, hindrance: "", workers: []), at: Date(timeIntervalSince1970: 1000)
        )
        try folder.save(old)
        try folder.save(state)
        #expect(folder.orphans().isEmpty)
        try FileManager.default.removeItem(at: directory.file("queues/a.queue.json"))
        #expect(folder.orphans() == [state])
        // A file that cannot be read is there all the same.
        try Data("{".utf8).write(to: directory.file("queues/a.queue.json"))
        #expect(folder.orphans().isEmpty)

        var new = settings("a")
        new.token = "fghjk"
        try folder.save(new)
        #expect(folder.orphans() == [state])
        try folder.save(orphan: state)
        let later = QueueState(of: new)
        try folder.save(later)
        #expect(folder.orphans() == [state] && folder.names() == ["a"])
        folder.forget(orphan: state)
        #expect(try folder.orphans().isEmpty && folder.state(of: new) == later)
    }

    @Test("one process at a time serves the queues")
    func lock() throws {
        let directory = try TemporaryDirectory()
        let folder = AllocationFolder(directory.file("queues"))
        #expect(!folder.isServed)
        let lock = try folder.lock()
        #expect(folder.isServed)
        #expect(throws: (any Error).self) { _ = try folder.lock() }
        lock.end()
        #expect(!folder.isServed)
    }
}
