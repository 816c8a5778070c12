import Foundation
import Monitoring
import Synchronization
import TestSupport
import Testing

/// The server without a coordinator: what it says while one answers, hangs, or has a store that fails.
@Suite struct MonitoringServerTests {
    private let wakes = Wakes()
    private let board: StatusBoard
    private let server: MonitoringServer

    private final class Wakes: Sendable {
        let count = Atomic(0)
    }

    init() async throws {
        let board = StatusBoard { [wakes] in wakes.count.add(1, ordering: .relaxed) }
        let address = try #require(ListenAddress("0"))
        server = try await awayFromTasks { try MonitoringServer(address, board: board) }
        self.board = board
    }

    private func snapshot(_ store: ServiceSnapshot.StoreHealth = .healthy) -> ServiceSnapshot {
        var snapshot = ServiceSnapshot(
            software: "winnow test", startedAt: 0, throughput: EndedJobs(interval: 10, intervals: 6, at: 0), seconds: 5,
            counters: ServiceCounters())
        snapshot.store = store
        snapshot.batches = [.init(batch: #"<b>"x\y"#, state: "running", results: "/r")]
        return snapshot
    }

    private func get(_ path: String, host: String = "", method: String = "GET") async throws -> WebClient.Answer {
        let url = server.url + path
        return try await awayFromTasks { try WebClient.get(url, method: method, host: host) }
    }

    @Test func itIsReadyOnceTheCoordinatorAnswers() async throws {
        #expect(try await get("/healthz").code == 503)
        #expect(board.isWanted && wakes.count.load(ordering: .relaxed) == 1)
        board.post(snapshot())
        #expect(!board.isWanted)
        #expect(try await get("/healthz").code == 200)
        board.post(snapshot(.failing("no space left on device")))
        let answer = try await get("/healthz")
        #expect(answer.code == 503 && answer.text.contains("no space left on device"))
        server.stop()
    }

    private struct Attention: Decodable { let attention: [String] }

    private func attention(_ change: (inout ServiceSnapshot) -> Void) async throws -> [String] {
        var snapshot = snapshot()
        change(&snapshot)
        board.post(snapshot)
        let text = try await get("/status.json").text
        return try JSONDecoder().decode(Attention.self, from: Data(text.utf8)).attention
    }

    /// What does not go on by itself is said; what pauses or runs is nothing to see to.
    @Test func whatSomebodyHasToDoIsSaid() async throws {
        let worker = ServiceSnapshot.Worker(
            worker: "ann", state: "unable", running: 0, capacity: 8, finished: 0, jobsPerSecond: 0, silentSeconds: 0)
        #expect(try await attention { _ in } == [])
        try await Task.sleep(for: .milliseconds(600))
        let stuck = try await attention {
            $0.batches[0].trouble = "the model does not load"
            $0.batches[0].jobs = ["waiting": 3]
            $0.workers = [worker]
        }
        #expect(stuck == [#"Batch <b>"x\y does not go on: the model does not load."#])
        try await Task.sleep(for: .milliseconds(600))
        #expect(
            try await attention { $0.batches[0].jobs = ["waiting": 1] }
                == ["1 job waits, and no worker is connected."])
        try await Task.sleep(for: .milliseconds(600))
        let paused = try await attention {
            $0.batches[0].jobs = ["waiting": 1]
            $0.batches[0].isPaused = true
        }
        #expect(paused == [])
        server.stop()
    }

    /// A batch that is asked for comes with its parameters, and no other does.
    @Test func aBatchThatIsAskedForIsToldInFull() async throws {
        struct Told: Decodable {
            struct Chosen: Decodable {
                struct Batch: Decodable { let batch: String }
                let batch: Batch
                let parameters: String
            }
            let chosen: Chosen?
        }
        var snapshot = snapshot()
        snapshot.batches += [.init(batch: "a&b=c", state: "running", results: "/r")]
        for index in snapshot.batches.indices { snapshot.batches[index].parameters = { "seed: \(index)" } }
        func told(_ query: String) async throws -> Told.Chosen? {
            board.post(snapshot)
            let text = try await get("/status.json" + query).text
            #expect(text.components(separatedBy: "seed: ").count <= 2)
            return try JSONDecoder().decode(Told.self, from: Data(text.utf8)).chosen
        }
        let one = try await told("?batch=a%26b%3Dc")
        #expect(one?.batch.batch == "a&b=c" && one?.parameters == "seed: 1")
        #expect(try await told("?batch=%3Cb%3E%22x%5Cy")?.parameters == "seed: 0")
        for query in ["", "?", "?batch", "?batch=", "?batch=%", "?other=a", "?batch=nothing"] {
            #expect(try await told(query) == nil, "\(query)")
        }
        server.stop()
    }

    /// However many ask, the coordinator is asked at most once per half second.
    @Test func manyReadersAreOneReader() async throws {
        board.post(snapshot())
        let before = wakes.count.load(ordering: .relaxed)
        for _ in 0..<5 { _ = try await get("/status.json") }
        #expect(wakes.count.load(ordering: .relaxed) - before <= 5)
        server.stop()
    }

    @Test func everyPageSaysWhatItIs() async throws {
        for (path, type) in [
            ("/", "text/html; charset=utf-8"), ("/page.css", "text/css; charset=utf-8"),
            ("/page.js", "text/javascript; charset=utf-8"), ("/status.json", "application/json"),
            ("/metrics", "text/plain; version=0.0.4; charset=utf-8"),
        ] {
            board.post(snapshot())
            let answer = try await get(path)
            #expect(answer.code == 200 && answer.type == type && !answer.text.isEmpty, "\(path)")
        }
        #expect(try await get("/nothing").code == 404)
        #expect(try await get("/../../etc/passwd").code != 200)
        server.stop()
    }

    @Test func nothingButReadingIsAnswered() async throws {
        board.post(snapshot())
        for method in ["POST", "PUT", "DELETE"] { #expect(try await get("/", method: method).code == 405, "\(method)") }
        server.stop()
    }

    /// A site on the internet may let its name point to 127.0.0.1; what it then asks for is not given.
    @Test func onLoopbackOtherHostsNamesAreRefused() async throws {
        board.post(snapshot())
        #expect(try await get("/status.json", host: "evil.example.org").code == 400)
        #expect(try await get("/status.json", host: "localhost:9090").code == 200)
        server.stop()
    }

    /// Whatever somebody sends, the connection ends soon, and others are served.
    @Test(arguments: [
        ("b'GET /' + b'a' * 4_000_000", "431"), ("b'GET / HTTP/1.1\\r\\nX: ' + b'a' * 4_000_000", "431"),
        ("b'GET / HTTP/1.1\\r\\n' + b'X: y\\r\\n' * 1_000_000", "431"), ("b'\\xff' * 200_000", "431"),
        ("b'GET / HTTP/1.1\\r\\nX: ' + b'a' * 7_000", ""), ("b'HELLO\\r\\n\\r\\n'", "400"), ("b''", ""),
        ("b'GET / HTTP/1.1\\r\\nHost: localhost\\r\\n\\r\\n'", "200"),
    ])
    func aRequestIsBounded(_ bytes: String, _ code: String) async throws {
        let port = try #require(server.url.split(separator: ":").last)
        let script = """
            import socket, sys
            peer = socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60)
            answer = b""
            try:
                peer.sendall(\(bytes))
                peer.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            try:
                while piece := peer.recv(65536):
                    answer += piece
            except OSError:
                pass
            print(answer[:12].decode()[9:])
            """
        let printed = try await awayFromTasks { try SystemPython.run(script, String(port)) }
        // A reset may overtake the words of a refusal; that the connection has ended is what counts.
        let answer = printed.trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(answer == code || code == "431" && answer.isEmpty)
        board.post(snapshot())
        #expect(try await get("/healthz").code == 200)
        server.stop()
    }

    /// Connections that say nothing do not keep others out for ever.
    @Test func manySilentConnectionsEnd() async throws {
        let port = try #require(server.url.split(separator: ":").last)
        let script = """
            import socket, sys
            peers = [socket.create_connection(("127.0.0.1", int(sys.argv[1])), timeout=60) for _ in range(40)]
            last = peers[-1]
            last.sendall(b"GET /page.css HTTP/1.1\\r\\n\\r\\n")
            print(last.recv(12).decode()[9:])
            """
        let printed = try await awayFromTasks { try SystemPython.run(script, String(port)) }
        #expect(printed.hasPrefix("200"))
        server.stop()
    }

    @Test func anAddressInUseIsSaid() async throws {
        let port = try #require(server.url.split(separator: ":").last)
        let address = try #require(ListenAddress(String(port)))
        let board = board
        await #expect(throws: MonitoringServer.Failure.self) {
            try await awayFromTasks { _ = try MonitoringServer(address, board: board) }
        }
        server.stop()
    }

    @Test(arguments: [
        ("9090", "127.0.0.1:9090"), ("127.0.0.1:1", "127.0.0.1:1"), ("localhost:80", "127.0.0.1:80"),
        ("0.0.0.0:9090", "0.0.0.0:9090"), ("[::1]:9090", "[::1]:9090"),
    ])
    func addressesAreRead(_ text: String, _ expected: String) {
        #expect(ListenAddress(text)?.description == expected)
    }

    @Test(arguments: ["", ":", "x", "127.0.0.1", "127.0.0.1:65536", "1.2.3:80", "host:80", "::1:80", "127.0.0.1:-1"])
    func otherTextsAreNot(_ text: String) { #expect(ListenAddress(text) == nil) }
}
