import Foundation
import JobModel
import Testing
import WireProtocol
import ZeroMQ

/// The coordinator's end of the wire, played by a test: it hears what a worker says and answers as the test wishes.
final class ScriptedCoordinator {
    /// What the test waits for did not come.
    struct Silence: Error { var heard: [WireFromWorker] }

    let endpoint: String
    private let router: Socket
    private(set) var peer: [UInt8] = []
    /// Whether heartbeats are answered at once, so that the worker stays content.
    var answersHeartbeats = true
    /// What the worker holds by its latest heartbeat.
    private(set) var held: [WireLease] = []
    /// The latest credit.
    private(set) var credit: UInt32 = 0

    init(at endpoint: String = "tcp://127.0.0.1:*") throws {
        router = try Socket(.router, in: try Context(), options: .listener)
        self.endpoint = try router.bind(endpoint)
    }

    func send(_ kind: WireToWorker.OneOf_Kind) throws {
        var message = WireToWorker()
        message.kind = kind
        try router.send([peer] + message.frames())
    }

    /// The next message that `pick` accepts; others are heard and skipped.
    @discardableResult
    func expect<Picked>(_ pick: (WireFromWorker) throws -> Picked?) throws -> Picked {
        var heard: [WireFromWorker] = []
        let deadline = ContinuousClock.now + .seconds(30)
        while ContinuousClock.now < deadline {
            guard let frames = try router.receive() else {
                _ = try Poller.wait(for: [router.pollSource], timeout: .milliseconds(100))
                continue
            }
            peer = try #require(frames.first)
            let message = try WireFromWorker(frames: frames.dropFirst())
            heard.append(message)
            if case .heartbeat(let heartbeat) = message.kind {
                held = heartbeat.held
                // A former process may have left its last one behind.
                if answersHeartbeats { try? send(.heartbeatAnswer(WireHeartbeatAnswer())) }
            }
            if case .credit(let credit) = message.kind { self.credit = credit.freeSlots }
            if let picked = try pick(message) { return picked }
        }
        throw Silence(heard: heard)
    }

    func expectHello() throws -> WireHello {
        try expect { if case .hello(let hello) = $0.kind { hello } else { nil } }
    }

    func expectReport() throws -> WireShardReport {
        try expect { if case .report(let report) = $0.kind { report } else { nil } }
    }

    func expectReturned() throws -> WireReturned {
        try expect { if case .returned(let returned) = $0.kind { returned } else { nil } }
    }

    func expectGoodbye() throws { try expect { if case .goodbye = $0.kind { true } else { nil } } }

    /// Waits for a heartbeat after which `condition` holds.
    func expectHeld(_ condition: ([WireLease]) -> Bool) throws {
        try expect { if case .heartbeat(let heartbeat) = $0.kind, condition(heartbeat.held) { true } else { nil } }
    }

    func expectCredit(_ slots: UInt32) throws {
        try expect { if case .credit(let credit) = $0.kind, credit.freeSlots == slots { true } else { nil } }
    }

    /// How often the worker sends heartbeats: fast so that tests are, but a busy machine may not answer one at once, and
    /// after the third the worker would rightly leave.
    private static let heartbeat: Duration = .milliseconds(300)

    /// Accepts a worker.
    @discardableResult
    func welcome() throws -> WireHello {
        let hello = try expectHello()
        try send(.welcome(WireWelcome(heartbeat: Self.heartbeat, lease: .seconds(30))))
        return hello
    }

    /// Assigns jobs of one batch; job numbers count from `first`.
    ///
    /// - Parameter retriable: a bit for each class of failures after which a job would run again.
    func assign(
        _ prompts: [String], of batch: BatchDescription, first: UInt64 = 1, epoch: UInt64 = 1, retriable: UInt32 = 0
    ) throws {
        var settings = WireBatchSettings()
        settings.batch = batch.name
        settings.description_p = try batch.json()
        var assignments = WireAssignments()
        assignments.settings = [settings]
        assignments.assignments = prompts.enumerated().map { index, prompt in
            var assignment = WireAssignment()
            assignment.lease = WireLease(job: first + UInt64(index), epoch: epoch)
            assignment.batch = batch.name
            assignment.item = #"{"id":"item-\#(first + UInt64(index))","image":"a.png","prompt":"\#(prompt)"}"#
            assignment.queuedSeconds = 0.25
            assignment.retriable = retriable
            return assignment
        }
        try send(.assignments(assignments))
    }

    /// Says that every row of a report counts.
    func commit(_ report: WireShardReport) throws {
        var answer = WireReportAnswer()
        answer.shard = report.shard
        answer.committed = report.rows.map(\.lease.job)
        try send(.reportAnswer(answer))
    }
}
