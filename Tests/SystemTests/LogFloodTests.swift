import Foundation
import TestSupport
import Testing
import WireProtocol
import ZeroMQ

extension BlackBox {
    /// Peers that would fill a disk by the log alone.
    @Suite struct LogFloodTests {
        /// Says hello under ever new names, on one connection or on ever new ones.
        private func flood(_ endpoint: String, hellos: Int, each connection: Int) async throws {
            try await awayFromTasks {
                let context = try Context()
                for start in stride(from: 0, to: hellos, by: connection) {
                    let socket = try Socket(.dealer, in: context, options: .inProcess)
                    try socket.connect(endpoint)
                    for number in start..<start + connection {
                        var message = WireFromWorker()
                        message.hello = .worker("name-\(number)", session: "s", capacity: 1, held: [])
                        try socket.send(message.frames())
                        // Each is welcomed before the next is sent, so that none is lost on the way.
                        while try socket.receive() == nil {
                            _ = try Poller.wait(for: [socket.pollSource], timeout: .milliseconds(100))
                        }
                    }
                }
            }
        }

        @Test("54: hellos without end fill no log", arguments: [6_000, 2])
        func hellosFillNoLog(_ each: Int) async throws {
            let services = try await Services()
            try await flood(services.endpoints.workers, hellos: 6_000, each: each)
            let log = services.coordinator.errors
            let lines = log.split(separator: "\n").count
            #expect(lines < 1_100, "\(lines) lines")
            #expect(log.utf8.count < 300_000 && services.coordinator.isRunning)
        }
    }
}
