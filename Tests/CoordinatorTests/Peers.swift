import Foundation
import JobModel
import TestSupport
import Testing
import WireProtocol
import ZeroMQ

/// Names that workers could give to shards.
enum ShardPath {
    static let a = "shards/00/0000000000000000000000A000.h5"
    static let b = "shards/00/0000000000000000000000B000.h5"
    static let c = "shards/00/0000000000000000000000C000.h5"
    static let x = "shards/00/0000000000000000000000X000.h5"
    static let y = "shards/00/0000000000000000000000Y000.h5"
}

/// A connection to a coordinator whose every word is scripted.
struct Peer<Sent: Envelope, Received: Envelope>: ~Copyable {
    let socket: Socket
    private let blank: Sent

    fileprivate init(_ endpoint: String, security: SocketSecurity, blank: Sent) throws {
        // These options queue messages before the connection stands.
        var options = SocketOptions.inProcess
        options.security = security
        let socket = try Socket(.dealer, in: Context(), options: options)
        try socket.connect(endpoint)
        self.socket = socket
        self.blank = blank
    }

    borrowing func send(_ fill: (inout Sent) -> Void) throws {
        var message = blank
        fill(&message)
        try socket.send(message.frames())
    }

    /// The next message; fails the test after ten seconds of silence.
    borrowing func receive() throws -> Received { try #require(try next(within: .seconds(10)), "no message came") }

    /// The next message, or nil after a while without one.
    borrowing func next(within patience: Duration) throws -> Received? {
        let end = ContinuousClock.now + patience
        while ContinuousClock.now < end {
            if let frames = try socket.receive() { return try Received(frames: frames) }
            _ = try Poller.wait(for: [socket.pollSource], timeout: end - .now)
        }
        return nil
    }
}

typealias WorkerPeer = Peer<WireFromWorker, WireToWorker>
typealias ClientPeer = Peer<WireFromClient, WireToClient>

extension Peer where Sent == WireFromWorker, Received == WireToWorker {
    init(_ endpoint: String, security: SocketSecurity = .none) throws {
        try self.init(endpoint, security: security, blank: WireFromWorker())
    }

    /// A worker that said hello and was welcomed.
    static func joined(
        _ endpoint: String, _ name: String, session: String = "s", held: [WireLease] = []
    ) throws -> WorkerPeer {
        let worker = try WorkerPeer(endpoint)
        try worker.hello(name, session: session, held: held)
        return worker
    }

    borrowing func hello(_ name: String, session: String = "s", held: [WireLease] = []) throws {
        try send { $0.hello = .worker(name, session: session, capacity: 8, held: held) }
        #expect(try receive().welcome.protocolVersion == ProtocolVersion.current)
    }

    /// Offers to take jobs and returns those that came.
    borrowing func take(_ free: UInt32) throws -> [WireAssignment] {
        try send { $0.credit.freeSlots = free }
        var taken: [WireAssignment] = []
        while taken.count < Int(free) {
            let message = try receive()
            guard case .assignments(let assignments) = message.kind else { continue }
            taken += assignments.assignments
        }
        return taken
    }

    /// Reports one shard and returns the answer.
    borrowing func report(_ shard: String, batch: String, _ leases: [WireLease], error: String? = nil) throws
        -> WireReportAnswer
    {
        try send {
            $0.report.batch = batch
            $0.report.shard = shard
            $0.report.sha256 = Data(repeating: 7, count: 32)
            $0.report.bytes = 100
            $0.report.rows = leases.enumerated().map { index, lease in
                var row = WireRow()
                row.lease = lease
                row.row = UInt32(index)
                row.failed = error != nil
                row.error = error ?? ""
                row.summary.answer = "answer to \(lease.job)"
                row.summary.visualTokens = 192
                return row
            }
        }
        while true {
            if case .reportAnswer(let answer) = try receive().kind { return answer }
        }
    }
}

extension Peer where Sent == WireFromClient, Received == WireToClient {
    init(_ endpoint: String, security: SocketSecurity = .none) throws {
        try self.init(endpoint, security: security, blank: WireFromClient())
    }

    /// Asks and returns the answer, which carries the request's number.
    borrowing func ask(_ fill: (inout WireFromClient) -> Void) throws -> WireToClient {
        let number = UInt64.random(in: 1 ... .max)
        try send {
            fill(&$0)
            $0.request = number
        }
        let answer = try receive()
        #expect(answer.request == number)
        return answer
    }

    /// Submits a batch in two pieces and returns its name.
    @discardableResult
    borrowing func submit(_ count: Int, name: String = "demo", in directory: TemporaryDirectory) throws -> String {
        let batch = try open(name, in: directory)
        #expect(batch != "")
        let items = (1...count).map { #"{"id":"q\#($0)","image":"i\#($0 / 3).jpg","prompt":"What?"}"# }
        for piece in [items.prefix(count / 2), items.dropFirst(count / 2)] {
            #expect(try add(Array(piece), to: batch).itemsAdded.total > 0 || piece.isEmpty)
        }
        #expect(try ask { $0.closeBatch.batch = batch }.batchClosed.total == UInt64(count))
        return batch
    }

    borrowing func open(_ name: String, in directory: TemporaryDirectory, fresh: Bool = false) throws -> String {
        let description = BatchDescription(
            name: name, model: "/model", items: "/items.jsonl", images: "/pictures",
            results: directory.file("results/\(name)").path)
        let json = try description.json()
        return try ask {
            $0.openBatch.name = name
            $0.openBatch.description_p = json
            $0.openBatch.fresh = fresh
        }.batchOpened.batch
    }

    borrowing func add(_ items: [String], to batch: String) throws -> WireToClient {
        try ask {
            $0.addItems.batch = batch
            $0.addItems.items = items
        }
    }

    borrowing func status(_ batch: String) throws -> WireBatchStatus {
        try #require(try ask { $0.status.batch = batch }.status.batches.first)
    }

    borrowing func items(_ batch: String, after: UInt64 = 0, limit: UInt32 = 0) throws -> [WireItemStatus] {
        try ask {
            $0.items.batch = batch
            $0.items.after = after
            $0.items.limit = limit
        }.items.items
    }
}
