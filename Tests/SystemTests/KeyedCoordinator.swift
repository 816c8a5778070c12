import AccessKeys
import Foundation
import TestSupport
import WireProtocol
import ZeroMQ

/// A coordinator process that wants keys even on loopback, and keys for it.
final class KeyedCoordinator {
    struct Endpoints: Decodable {
        let workers, clients: String
        let http: String?
    }

    let folder: TemporaryDirectory
    let process: RunningWinnow
    let endpoints: Endpoints
    let worker: KeyFile
    let client: KeyFile

    init(_ arguments: String...) async throws {
        folder = try TemporaryDirectory()
        let keys = KeyFolder(folder.file("keys"))
        let made = try await winnow("keys", "new", "--keys", keys.url.path)
        guard made.code == 0 else { throw RunningWinnow.Trouble(description: "\(made)") }
        worker = try KeyFile(path: keys.keyFile("worker"), role: .worker)
        client = try KeyFile(path: keys.keyFile("client"), role: .client)
        let process = try RunningWinnow(
            [
                "coordinator", "--store", folder.file("jobs.sqlite").path, "--workers", "tcp://127.0.0.1:*",
                "--clients", "tcp://127.0.0.1:*", "--keys", keys.url.path, "--output", "json",
            ] + arguments)
        try await eventually("the coordinator listens") {
            if !process.isRunning { throw RunningWinnow.Trouble(description: process.errors) }
            return process.output.contains("\n")
        }
        self.process = process
        endpoints = try Endpoints(printed: process.output)
    }

    /// The path of a key file.
    func keyFile(_ name: String) -> String { folder.file("keys/\(name).key").path }

    /// A number of /proc/PID/status, such as VmRSS, in bytes.
    func memory(_ field: String) throws -> Int {
        let text = try String(contentsOfFile: "/proc/\(process.process)/status", encoding: .utf8)
        let line = text.split(separator: "\n").first { $0.hasPrefix(field + ":") }
        guard let words = line?.split(whereSeparator: \.isWhitespace), words.count > 1, let kilobytes = Int(words[1])
        else { throw RunningWinnow.Trouble(description: "no \(field) in \(text)") }
        return kilobytes << 10
    }
}

/// One DEALER with a key, whose messages need not be messages.
final class KeyedPeer {
    private let socket: Socket

    init(_ endpoint: String, _ security: SocketSecurity) throws {
        var options = SocketOptions.inProcess
        options.security = security
        let socket = try Socket(.dealer, in: Context(), options: options)
        try socket.connect(endpoint)
        self.socket = socket
    }

    /// Sends frames, throwing away what has come meanwhile; false where they cannot be sent for long.
    func send(_ frames: [[UInt8]]) throws -> Bool {
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            do {
                try socket.send(frames)
                return true
            } catch {
                guard error.isRetriable else { throw error }
                try drain()
                _ = try Poller.wait(for: [socket.pollSource], timeout: .milliseconds(1))
            }
        }
        return false
    }

    func drain() throws { while try socket.receive() != nil {} }

    /// Sends one request and waits for the answer that carries its number.
    func ask(_ number: UInt64, _ fill: (inout WireFromClient) -> Void) throws -> WireToClient? {
        var message = WireFromClient()
        fill(&message)
        message.request = number
        _ = try send(message.frames())
        let deadline = ContinuousClock.now + .seconds(60)
        while ContinuousClock.now < deadline {
            while let frames = try socket.receive() {
                if let answer = try? WireToClient(frames: frames), answer.request == number { return answer }
            }
            _ = try Poller.wait(for: [socket.pollSource], timeout: deadline - .now)
        }
        return nil
    }
}
