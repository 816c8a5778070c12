import Foundation
import TestSupport
import Testing
import WireProtocol
import ZeroMQ

extension BlackBox {
    /// What peers are called stands in the log, which people read in a terminal.
    @Suite struct LogLinesTests {
        @Test func aNameOfAPeerNeitherSteersATerminalNorMakesUpALine() async throws {
            let services = try await Services()
            let endpoint = services.endpoints.workers
            try await awayFromTasks {
                let context = try Context()
                let socket = try Socket(.dealer, in: context, options: .inProcess)
                try socket.connect(endpoint)
                var message = WireFromWorker()
                message.hello = .worker("a\u{1B}[2J\nb\u{202E}", session: "s", capacity: 1, held: [])
                try socket.send(message.frames())
                while try socket.receive() == nil {
                    _ = try Poller.wait(for: [socket.pollSource], timeout: .milliseconds(100))
                }
            }
            try await eventually("a line about the worker") { services.coordinator.errors.contains("worker joined") }
            let lines = services.coordinator.errors.split(separator: "\n")
            #expect(lines.count { $0.contains(#"worker=a\u{1B}[2J\nb\u{202E}"#) } == 1)
            #expect(!lines.contains { $0.hasPrefix("b") || $0.unicodeScalars.contains("\u{1B}") })
        }
    }
}
