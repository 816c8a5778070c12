import Testing
import ZeroMQ

@Suite struct SecurityTests {
    @Test func keysAreTextThatFitsTogether() throws {
        let pair = try CurveKeyPair.generate()
        #expect(pair.publicKey.text.utf8.count == 40)
        let secret = try #require(CurveSecretKey(pair.secretKey.revealed()))
        #expect(CurveKeyPair(publicKey: pair.publicKey, secretKey: secret) == pair)
        #expect(try CurveKeyPair(publicKey: CurveKeyPair.generate().publicKey, secretKey: secret) == nil)
        for text in ["", "short", String(repeating: "~", count: 40), String(repeating: "ä", count: 20)] {
            #expect(CurvePublicKey(text) == nil && CurveSecretKey(text) == nil, "\(text)")
        }
    }

    @Test func secretsDoNotShow() throws {
        let pair = try CurveKeyPair.generate()
        let secret = pair.secretKey.revealed()
        var options = SocketOptions.listener
        options.security = .server(secretKey: pair.secretKey)
        var dumped = ""
        dump((pair, options), to: &dumped)
        for text in ["\(pair)", String(reflecting: pair), "\(options)", String(reflecting: options), dumped] {
            #expect(!text.contains(secret))
        }
    }

    @Test(arguments: [
        ("tcp://127.0.0.1:5757", true), ("tcp://127.9.9.9:*", true), ("tcp://localhost:1", true),
        ("tcp://[::1]:5757", true), ("tcp://lo:5757", true), ("inproc://x", true), ("ipc:///run/x", true),
        ("tcp://*:5757", false), ("tcp://0.0.0.0:5757", false), ("tcp://10.0.0.1:5757", false),
        ("tcp://[::]:5757", false), ("tcp://eth0:5757", false), ("tcp://127.0.0.1.example.org:5757", false),
        ("tcp://localhost.example.org:5757", false), ("tcp://127.0.0.1:0;10.0.0.1:5757", false),
        ("udp://127.0.0.1:1", false),
        ("", false), ("tcp://", false),
    ])
    func loopbackIsNothingElse(_ endpoint: String, _ isLoopback: Bool) {
        #expect(EndpointReach.isLoopback(endpoint) == isLoopback, "\(endpoint)")
    }

    /// Without an authenticator libzmq lets every key in, so this shows encryption and the server's proof alone.
    @Test func onlyTheRightServerKeyConnects() throws {
        let context = try Context()
        let server = try CurveKeyPair.generate()
        var options = SocketOptions.listener
        options.security = .server(secretKey: server.secretKey)
        let router = try Socket(.router, in: context, options: options)
        let endpoint = try router.bind("tcp://127.0.0.1:*")

        func send(_ text: String, _ security: SocketSecurity) throws -> ConnectionMonitor.Event? {
            var options = SocketOptions.inProcess
            options.security = security
            let clientContext = try Context()
            let socket = try Socket(.dealer, in: clientContext, options: options)
            let monitor = try ConnectionMonitor(socket.reportConnections(), in: clientContext)
            try socket.connect(endpoint)
            try socket.send([[UInt8](text.utf8)])
            let deadline = ContinuousClock.now + .seconds(10)
            while ContinuousClock.now < deadline {
                switch try monitor.next() {
                case nil: _ = try Poller.wait(for: [monitor.pollSource], timeout: deadline - .now)
                case .connected?, .accepted?, .acceptFailed?, .other?: continue
                case let event?:
                    if event == .handshakeSucceeded {
                        _ = try Poller.wait(for: [router.pollSource], timeout: .seconds(10))
                        let message = try #require(try router.receiveMessage())
                        #expect(message.frames.last == [UInt8](text.utf8))
                    }
                    return event
                }
            }
            return nil
        }
        let own = try CurveKeyPair.generate()
        #expect(try send("hello", .client(own: own, server: server.publicKey)) == .handshakeSucceeded)
        let wrong = try CurveKeyPair.generate().publicKey
        let events: [ConnectionMonitor.Event?] = [.handshakeFailed, .disconnected]
        #expect(try events.contains(send("wrong server", .client(own: own, server: wrong))))
        #expect(try events.contains(send("no key", .none)))
        #expect(try router.receive() == nil)
    }
}
