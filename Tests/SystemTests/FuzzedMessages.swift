import Foundation
import JobModel
import TestSupport
import WireProtocol

/// Messages that are nearly right, in an order that a seed decides.
struct FuzzedMessages {
    /// To which port, and how.
    enum Delivery: Equatable {
        case toWorkersPort, toClientsPort
        /// A TCP connection that does not speak ZeroMQ.
        case rawBytes
        /// A ZeroMQ peer without a key.
        case plainPeer
    }

    private var random: SeededGenerator
    private let workerBodies: [[UInt8]]
    private let clientBodies: [[UInt8]]
    private let results: String

    init(seed: UInt64, results: String) throws {
        random = SeededGenerator(seed: seed)
        self.results = results
        workerBodies = try Self.workerMessages().map { try $0.frames()[1] }
        clientBodies = try Self.clientMessages(results: results).map { try $0.frames()[1] }
    }

    /// The next message; nothing that a valid message would do outside of the test's folder.
    mutating func next() -> (Delivery, [[UInt8]]) {
        switch random.below(400) {
        case 0: return (.rawBytes, [rawBytes()])
        case 1: return (.plainPeer, frames(of: workerBodies))
        case 2..<200: return (.toWorkersPort, frames(of: workerBodies))
        default:
            while true {
                let frames = frames(of: clientBodies)
                if isHarmless(frames) { return (.toClientsPort, frames) }
            }
        }
    }

    private mutating func frames(of bodies: [[UInt8]]) -> [[UInt8]] {
        var body = random.element(of: bodies)
        switch random.below(4_000) {
        case 0: return [WireFraming.tag, [UInt8](repeating: 0x0A, count: (16 << 20) + 1)]  // over the limit of a frame
        case 1...4: return Array(repeating: body, count: 9 + random.below(2_000))
        case 5: return [WireFraming.tag, bomb()]
        case 6...100: return [WireFraming.tag]
        case 101...200: return [[]]
        case 201...300: return [WireFraming.tag, body, body]
        case 301...400: return [random.bytes(4), body]
        case 401...500: return [body]
        default: break
        }
        for _ in 0..<(1 + random.below(4)) { mutate(&body, bodies) }
        return [WireFraming.tag, body]
    }

    private mutating func mutate(_ body: inout [UInt8], _ bodies: [[UInt8]]) {
        guard !body.isEmpty else { return body = random.bytes(1 + random.below(64)) }
        let place = random.below(body.count)
        switch random.below(9) {
        case 0: body[place] ^= 1 << UInt8(random.below(8))
        case 1: body[place] = UInt8(random.below(256))
        case 2: body.removeSubrange(place...)
        case 3: body.insert(contentsOf: random.bytes(1 + random.below(16)), at: place)
        case 4: body.removeSubrange(place..<min(body.count, place + 1 + random.below(8)))
        case 5:
            let other = random.element(of: bodies)
            body.replaceSubrange(place..., with: other.suffix(random.below(other.count + 1)))
        case 6: body.insert(contentsOf: body[place..<min(body.count, place + random.below(64))], at: place)
        case 7:
            body.replaceSubrange(place..<min(body.count, place + 10), with: [UInt8](repeating: 0xFF, count: 9) + [0x7F])
        default: body = random.bytes(random.below(256))
        }
    }

    /// Two bytes on the wire for each structure in memory.
    private func bomb() -> [UInt8] {
        let count = 4_000_000
        var bytes: [UInt8] = [0x12]  // heartbeat
        var length = 2 * count
        repeat {
            bytes.append(UInt8(length & 0x7F) | (length > 0x7F ? 0x80 : 0))
            length >>= 7
        } while length > 0
        for _ in 0..<count { bytes += [0x0A, 0x00] }
        return bytes
    }

    private mutating func rawBytes() -> [UInt8] {
        let garbage = random.bytes(1 + random.below(4_096))
        switch random.below(4) {
        case 0: return Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8)
        // A greeting of ZMTP 3.0, and nonsense behind it.
        case 1:
            return [0xFF] + [UInt8](repeating: 0, count: 8) + [0x7F, 3, 0] + Array("CURVE".utf8)
                + [UInt8](repeating: 0, count: 47) + garbage
        // A frame that announces the most bytes there can be.
        case 2: return [0xFF] + [UInt8](repeating: 0, count: 8) + [0x7F, 3, 0, 2] + [UInt8](repeating: 0xFF, count: 64)
        default: return garbage
        }
    }

    /// A mutated request may be a valid one: it must not end the coordinator, nor write elsewhere.
    private func isHarmless(_ frames: [[UInt8]]) -> Bool {
        guard let message = try? WireFromClient(frames: frames) else { return true }
        switch message.kind {
        case .shutdown: return false
        case .openBatch(let request):
            guard let description = try? BatchDescription(json: request.description_p) else { return true }
            return description.results == results && BatchName.isUsable(request.name)
        default: return true
        }
    }

    private static func fromWorker(_ fill: (inout WireFromWorker) -> Void) -> WireFromWorker {
        var message = WireFromWorker()
        fill(&message)
        return message
    }

    private static func fromClient(_ fill: (inout WireFromClient) -> Void) -> WireFromClient {
        var message = WireFromClient()
        fill(&message)
        return message
    }

    private static func workerMessages() -> [WireFromWorker] {
        let leases = (1...5).map { WireLease(job: $0, epoch: 1, progress: $0) }
        let rows = leases.map { lease in
            var row = WireRow()
            row.lease = lease
            row.error = "why"
            row.failed = true
            row.summary.answer = "answer"
            row.summary.seconds = 0.5
            return row
        }
        return [
            fromWorker { $0.hello = .worker("fuzz", session: "s", capacity: 8, held: leases) },
            fromWorker { $0.hello = .worker("fuzz-2", session: "t", capacity: 1, held: []) },
            fromWorker { $0.heartbeat.held = leases }, fromWorker { $0.credit.freeSlots = 4 },
            fromWorker { $0.returned.leases = leases }, fromWorker { $0.goodbye = WireGoodbye() },
            fromWorker {
                $0.report.batch = "fuzz"
                $0.report.shard = "shards/00/0000000000000000000000A000.h5"
                $0.report.sha256 = Data(repeating: 1, count: 32)
                $0.report.bytes = 1_000
                $0.report.rows = rows
            },
        ]
    }

    private static func clientMessages(results: String) throws -> [WireFromClient] {
        let description = BatchDescription(
            name: "fuzz", model: "/model", items: "/items.jsonl", images: "/pictures", results: results)
        let json = try description.json()
        let items = (0..<4).map { #"{"id":"q\#($0)","image":"i.jpg","prompt":"What?"}"# }
        let frequent = [
            fromClient { $0.hello = .client(session: "s") }, fromClient { $0.status.batch = "fuzz" },
            fromClient { $0.status = WireStatusRequest() },
            fromClient {
                $0.addItems.batch = "fuzz"
                $0.addItems.items = items
            },
            fromClient { $0.closeBatch.batch = "fuzz" }, fromClient { $0.wake.worker = "fuzz" },
            fromClient {
                $0.cancel.batch = "none"
                $0.cancel.reason = "why"
            },
            fromClient {
                $0.items.batch = "fuzz"
                $0.items.after = 3
                $0.items.limit = 10
            },
        ]
        // Each new batch is a folder and a row, so there is one of these among many others.
        let open = fromClient {
            $0.openBatch.name = "fuzz"
            $0.openBatch.description_p = json
        }
        return Array(repeatElement(frequent, count: 40).joined()) + [open]
    }
}

extension SeededGenerator {
    mutating func bytes(_ count: Int) -> [UInt8] { (0..<count).map { _ in UInt8.random(in: 0...255, using: &self) } }
    mutating func element<T>(of list: [T]) -> T { list[below(list.count)] }
}
