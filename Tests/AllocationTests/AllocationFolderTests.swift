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
        #expect(try folder.queues().isEmpty)
        try folder.save(settings("b"))
        try folder.save(settings("a"))
        #expect(try folder.queues().map(\.name) == ["a", "b"])
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
        #expect(try folder.queues().map(\.name) == ["b"])
        #expect(folder.events(of: "a") == [event], "what happened stays")
    }

    @Test("a file that cannot be understood is named")
    func broken() throws {
        let directory = try TemporaryDirectory()
        let folder = AllocationFolder(directory.file("queues"))
        try folder.save(settings("a"))
        try Data("{".utf8).write(to: directory.file("queues/a.queue.json"))
        let error = #expect(throws: AllocationError.self) { try folder.queues() }
        #expect(error?.code == .unreadable)
        #expect(error?.message.contains("a.queue.json") == true)
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
