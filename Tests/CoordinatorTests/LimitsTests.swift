import Coordinator
import Foundation
import JobModel
import TestSupport
import Testing
import WireProtocol

/// What is too large, or means nothing, is refused in words where it comes in; so everything behind fits into messages.
@Suite(.timeLimit(.minutes(2))) struct LimitsTests {
    let directory: TemporaryDirectory
    let coordinator: RunningCoordinator

    init() throws {
        directory = try TemporaryDirectory()
        coordinator = try RunningCoordinator(store: directory.file("jobs.sqlite"))
    }

    /// Opens a batch whose description is changed before.
    private func open(
        _ name: String, _ client: borrowing ClientPeer, _ change: (inout BatchDescription) -> Void
    ) throws -> WireToClient {
        var description = BatchDescription(
            name: name, model: "/model", items: "/items.jsonl", images: "/pictures",
            results: directory.file("results/\(name)").path)
        change(&description)
        let json = try description.json()
        return try client.ask {
            $0.openBatch.name = name
            $0.openBatch.description_p = json
            $0.openBatch.fresh = true
        }
    }

    @Test func aDescriptionIsCheckedWithEverythingThatItNames() throws {
        defer { try? coordinator.stop() }
        let client = try ClientPeer(coordinator.endpoints.clients)
        let refusals: [(String, (inout BatchDescription) -> Void)] = [
            ("there is no method prune-all", { $0.method = .init(name: "prune-all", keep: 64) }),
            ("no-such-option", { $0.method = .init(name: "ficoco-v", keep: 64, options: ["no-such-option": "1"]) }),
            ("keep", { $0.method = .init(name: "ficoco-v") }),
            ("no absolute path", { $0.model = "model" }),
            ("no absolute path", { $0.results = "results" }),
            ("no absolute path", { $0.images = "/a\0b" }),
            ("labels", { $0.queue.labels = ["k": String(repeating: "v", count: 5 << 20)] }),
            ("262144", { $0.generation.stop = [String(repeating: "s", count: 16_500_000)] }),
        ]
        for (word, change) in refusals {
            let refusal = try open("bad", client, change).refusal
            #expect(refusal.code == "bad-description" && refusal.message.contains(word), "\(word): \(refusal)")
            #expect(refusal.message.utf8.count < 2_000)
        }
        #expect(try open("good", client) { $0.method = .init(name: "ficoco-v", keep: 64) }.batchOpened.batch == "good")
    }

    @Test func everyItemCanBeAskedAboutAndEveryQuestionIsAnswered() throws {
        defer { try? coordinator.stop() }
        let client = try ClientPeer(coordinator.endpoints.clients)
        let batch = try client.open("demo", in: directory)
        let longest = String(repeating: "i", count: ItemID.maximumBytes)
        func item(_ id: String) -> String { #"{"id":"\#(id)","image":null,"prompt":"?"}"# }
        #expect(try client.add([item(longest)], to: batch).itemsAdded.total == 1)
        #expect(try client.add([item(longest + "i")], to: batch).refusal.code == "bad-item")
        _ = try client.ask { $0.closeBatch.batch = batch }
        let explained = try client.ask {
            $0.explain.batch = batch
            $0.explain.item = longest
        }
        #expect(explained.explained.state == "waiting")
        let tooLong = try client.ask {
            $0.explain.batch = batch
            $0.explain.item = longest + "i"
        }.refusal
        #expect(tooLong.code == "implausible" && tooLong.message.contains("1025 bytes"))
        let cancelled = try client.ask {
            $0.cancel.batch = batch
            $0.cancel.reason = String(repeating: "because ", count: 10_000)
        }
        #expect(cancelled.cancelled.cancelled == 1)
        let reason = try client.status(batch).reason
        #expect(reason.hasPrefix("because because") && reason.utf8.count <= String.shortBytes + 3)
    }

    /// Hundreds of batches of one name with all the labels that there may be: opening them takes no time, and their state
    /// comes in pages.
    @Test func theStateOfVeryManyBatchesComesInPages() throws {
        defer { try? coordinator.stop() }
        let client = try ClientPeer(coordinator.endpoints.clients)
        let labels = ["k": String(repeating: "v", count: BatchDescription.maximumLabelBytes - 1)]
        for number in 1...300 {
            let opened = try open("many", client) { $0.queue.labels = labels }.batchOpened
            #expect(opened.batch == (number == 1 ? "many" : "many-\(number)"))
        }
        let worker = try WorkerPeer.joined(coordinator.endpoints.workers, "ann")
        var names: [String] = [], workers: [String] = [], pages = 0
        var question = WireStatusRequest()
        while true {
            let page = try client.ask { $0.status = question }.status
            pages += 1
            names += page.batches.map(\.batch)
            workers += page.workers.map(\.worker)
            guard page.more else { break }
            question.afterBatches = UInt64(names.count)
            question.afterWorker = workers.last ?? ""
        }
        #expect(names == (1...300).map { $0 == 1 ? "many" : "many-\($0)" } && workers == ["ann"] && pages > 1)
        _ = consume worker
    }

    /// Long items and long settings leave in messages that arrive, the settings of each batch once.
    @Test func whateverCanBeSubmittedCanBeHandedOut() throws {
        defer { try? coordinator.stop() }
        let client = try ClientPeer(coordinator.endpoints.clients)
        let prompt = String(repeating: "p", count: Item.maximumBytes - 200)
        for name in ["one", "two"] {
            _ = try open(name, client) { $0.generation.stop = [String(repeating: "s", count: 250_000)] }
            for number in 0..<30 {
                let item = #"{"id":"\#(number)","image":null,"prompt":"\#(prompt)"}"#
                #expect(try client.add([item], to: name).itemsAdded.added == 1)
            }
            _ = try client.ask { $0.closeBatch.batch = name }
        }
        let worker = try WorkerPeer(coordinator.endpoints.workers)
        try worker.send { $0.hello = .worker("ann", session: "s", capacity: 60, held: []) }
        _ = try worker.receive()
        try worker.send { $0.credit.freeSlots = 60 }
        var settings: [String] = [], jobs = 0
        while jobs < 60 {
            let message = try worker.receive().assignments
            settings += message.settings.map(\.batch)
            for assignment in message.assignments { #expect(settings.contains(assignment.batch)) }
            jobs += message.assignments.count
        }
        #expect(settings.sorted() == ["one", "two"])
    }
}
