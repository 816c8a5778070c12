import AccessKeys
import Foundation
import Glibc
import JobModel
import TestSupport
import Testing
import WireProtocol
import ZeroMQ

extension BlackBox {
    /// A coordinator among peers that send nonsense: those with keys, those without, and those that do not speak ZeroMQ.
    ///
    /// WINNOW_FUZZ_MESSAGES and WINNOW_FUZZ_SEED choose how many messages there are and which (`ops/nightly` sends 10⁶).
    @Suite struct FuzzTests {
        private static func number(_ variable: String, default standard: Int) -> Int {
            ProcessInfo.processInfo.environment[variable].flatMap { Int($0) } ?? standard
        }

        private static let messages = number("WINNOW_FUZZ_MESSAGES", default: 10_000)
        private static let seed = number("WINNOW_FUZZ_SEED", default: 1)
        private static let round = 1_000

        @Test func nonsenseLeavesTheCoordinatorServing() async throws {
            let coordinator = try await KeyedCoordinator("--log-level", "error")
            let results = coordinator.folder.file("results/fuzz").path
            var fuzz = try FuzzedMessages(seed: UInt64(Self.seed), results: results)
            let honest = try KeyedPeer(coordinator.endpoints.clients, coordinator.client.security)
            let description = try BatchDescription(
                name: "fuzz", model: "/model", items: "/items.jsonl", images: "/pictures", results: results
            ).json()
            let opened = try honest.ask(1) {
                $0.openBatch.name = "fuzz"
                $0.openBatch.description_p = description
            }
            #expect(opened?.batchOpened.batch == "fuzz")

            var warm = 0
            var sent = 0
            var rawSockets: [Int32] = []
            defer { for socket in rawSockets { close(socket) } }
            while sent < Self.messages {
                // New connections for each round: nothing may depend on the old ones.
                let worker = try KeyedPeer(coordinator.endpoints.workers, coordinator.worker.security)
                let client = try KeyedPeer(coordinator.endpoints.clients, coordinator.client.security)
                var strangers: [KeyedPeer] = []
                for _ in 0..<Self.round {
                    let (delivery, frames) = fuzz.next()
                    switch delivery {
                    case .toWorkersPort: #expect(try worker.send(frames))
                    case .toClientsPort: #expect(try client.send(frames))
                    case .plainPeer:
                        let stranger = try KeyedPeer(coordinator.endpoints.workers, .none)
                        _ = try stranger.send(frames)
                        strangers.append(stranger)
                    case .rawBytes:
                        if let socket = Self.send(frames[0], to: coordinator.endpoints.clients) {
                            rawSockets.append(socket)
                            if rawSockets.count > 32 { close(rawSockets.removeFirst()) }
                        }
                    }
                    sent += 1
                }
                try client.drain()
                let answer = try honest.ask(UInt64(sent) + 2) { $0.status.batch = "fuzz" }
                try #require(
                    answer?.status.batches.count == 1,
                    "no answer after \(sent) messages of seed \(Self.seed): \(coordinator.process.errors.suffix(2_000))"
                )
                if warm == 0 { warm = try coordinator.memory("VmRSS") }
            }
            #expect(coordinator.process.isRunning)
            let (end, peak) = (try coordinator.memory("VmRSS"), try coordinator.memory("VmHWM"))
            print(
                "fuzz: \(sent) messages, seed \(Self.seed); resident \(warm >> 20) MiB, at the end \(end >> 20), peak \(peak >> 20)"
            )
            #expect(end - warm < 192 << 20 && peak < 512 << 20)
            try Self.work(coordinator, honest)
        }

        /// A batch still goes its way.
        private static func work(_ coordinator: KeyedCoordinator, _ client: KeyedPeer) throws {
            let description = try BatchDescription(
                name: "after", model: "/model", items: "/items.jsonl", images: "/pictures",
                results: coordinator.folder.file("results/after").path
            ).json()
            let batch = try client.ask(.max) {
                $0.openBatch.name = "after"
                $0.openBatch.description_p = description
            }?.batchOpened.batch
            #expect(batch == "after")
            let total = try client.ask(.max - 1) {
                $0.addItems.batch = "after"
                $0.addItems.items = [#"{"id":"q","image":"i.jpg","prompt":"What?"}"#]
            }?.itemsAdded.total
            #expect(total == 1)
            let closed = try client.ask(.max - 2) { $0.closeBatch.batch = "after" }?.batchClosed.total
            #expect(closed == 1)
        }

        /// Opens a TCP connection and writes to it; nil where it is refused.
        private static func send(_ bytes: [UInt8], to endpoint: String) -> Int32? {
            guard let port = endpoint.split(separator: ":").last.flatMap({ UInt16($0) }) else { return nil }
            let socket = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard socket >= 0 else { return nil }
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_port = port.bigEndian
            address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
            let result = withUnsafePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard result == 0 else {
                close(socket)
                return nil
            }
            _ = Glibc.send(socket, bytes, bytes.count, Int32(MSG_NOSIGNAL) | Int32(MSG_DONTWAIT))
            return socket
        }
    }
}
