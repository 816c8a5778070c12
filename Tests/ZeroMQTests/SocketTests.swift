import Foundation
import Glibc
import Testing
import ZeroMQ

@Suite struct SocketTests {
    let context: Context

    init() throws { context = try Context() }

    /// The next message, or nil after ten seconds without one.
    func next(on socket: borrowing Socket) throws -> [[UInt8]]? {
        let deadline = ContinuousClock.now + .seconds(10)
        while ContinuousClock.now < deadline {
            if let frames = try socket.receive() { return frames }
            _ = try Poller.wait(for: [socket.pollSource], timeout: .milliseconds(100))
        }
        return nil
    }

    /// Sends as soon as the connection takes it.
    func send(_ frames: [[UInt8]], on socket: borrowing Socket) throws {
        while true {
            do {
                return try socket.send(frames)
            } catch let error where error.isRetriable {
                _ = try Poller.wait(for: [socket.pollSource], timeout: .milliseconds(10))
            }
        }
    }

    @Test(arguments: ["tcp://127.0.0.1:*", "inproc://there-and-back"])
    func messagesGoThereAndBackWithTheirFrames(endpoint: String) throws {
        let router = try Socket(.router, in: context, options: .listener)
        let bound = try router.bind(endpoint)
        #expect(!bound.hasSuffix("*"))
        let dealer = try Socket(.dealer, in: context, options: .connector)
        try dealer.connect(bound)

        let frames: [[UInt8]] = [[1, 2, 3], [], [UInt8](repeating: 7, count: 100_000)]
        try send(frames, on: dealer)
        let received = try #require(try next(on: router))
        #expect(Array(received.dropFirst()) == frames)

        try router.send([received[0], [42]])
        #expect(try next(on: dealer) == [[42]])
        #expect(try dealer.receive() == nil)
    }

    /// With many peers each message would cost a look through the timers of all of them.
    @Test func onlyTheConnectingSidePings() {
        #expect(SocketOptions.connector.pings && !SocketOptions.listener.pings && !SocketOptions.inProcess.pings)
    }

    /// In a process of its own, whose memory nobody else uses.
    @Test func smallMessagesThatWaitTakeLittleMemory() async {
        await #expect(processExitsWith: .success) {
            func resident() throws -> Int {
                let pages = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")[1]
                return (Int(pages) ?? 0) * sysconf(Int32(_SC_PAGESIZE))
            }
            let context = try Context()
            let router = try Socket(.router, in: context, options: .listener)
            let bound = try router.bind("tcp://127.0.0.1:*")
            var dealers: [Holder] = []
            for _ in 0..<200 { dealers.append(try Holder(bound, in: context)) }
            usleep(500_000)
            let before = try resident()
            // Apart from each other, so that each arrives by itself.
            for _ in 0..<20 {
                for dealer in dealers { try dealer.socket.send([[UInt8](repeating: 7, count: 200)]) }
                usleep(50_000)
            }
            var count = 0
            let grown = try resident() - before
            while try router.receive() != nil { count += 1 }
            precondition(count == 4_000, "\(count) messages arrived")
            precondition(grown < 12 << 20, "4,000 messages of 200 bytes took \(grown >> 20) MiB")
        }
    }

    /// Keeps a socket in an array.
    private final class Holder {
        let socket: Socket

        init(_ endpoint: String, in context: Context) throws {
            let socket = try Socket(.dealer, in: context, options: .connector)
            try socket.connect(endpoint)
            self.socket = socket
        }
    }

    @Test func pairsTalkInsideOneProcess() throws {
        let left = try Socket(.pair, in: context, options: .inProcess)
        try left.bind("inproc://pair")
        let right = try Socket(.pair, in: context, options: .inProcess)
        try right.connect("inproc://pair")
        try right.send([[9]])
        #expect(try next(on: left) == [[9]])
    }

    @Test func aRouterSaysThatAPeerIsUnknown() throws {
        let router = try Socket(.router, in: context, options: .listener)
        try router.bind("tcp://127.0.0.1:*")
        let error = try #require(throws: ZeroMQError.self) { try router.send([[1, 2, 3, 4, 5], [0]]) }
        #expect(error.code == .unreachable)
        #expect(!error.isRetriable)
    }

    @Test func aDeadEndpointTakesNoMessages() throws {
        let dealer = try Socket(.dealer, in: context, options: .connector)
        // A port that the system gives to nobody who asks for just any, such as a test beside this one.
        try dealer.connect("tcp://127.0.0.1:1")
        let error = try #require(throws: ZeroMQError.self) { try dealer.send([[0]]) }
        #expect(error.code == .wouldBlock)
        #expect(error.isRetriable)
    }

    @Test func aMessageOfTooManyFramesIsThrownAwayAndTheNextOneArrives() throws {
        var options = SocketOptions.listener
        options.maximumFrames = 3
        let router = try Socket(.router, in: context, options: options)
        let dealer = try Socket(.dealer, in: context, options: .connector)
        try dealer.connect(try router.bind("tcp://127.0.0.1:*"))
        try send(Array(repeating: [1], count: 500), on: dealer)
        try send([[1], [2]], on: dealer)
        let error = try #require(throws: ZeroMQError.self) { _ = try next(on: router) }
        #expect(error.code == .tooLarge)
        #expect(error.message.contains("501 frames"))
        #expect(try next(on: router)?.dropFirst() == [[1], [2]])
    }

    @Test func aFrameOverTheLimitNeverArrives() throws {
        var options = SocketOptions.listener
        options.maximumFrameBytes = 1_000
        let router = try Socket(.router, in: context, options: options)
        let endpoint = try router.bind("tcp://127.0.0.1:*")
        let dealer = try Socket(.dealer, in: context, options: .connector)
        try dealer.connect(endpoint)
        try send([[UInt8](repeating: 0, count: 1_001)], on: dealer)
        let other = try Socket(.dealer, in: context, options: .connector)
        try other.connect(endpoint)
        try send([[5]], on: other)
        #expect(try next(on: router)?.last == [5])
    }

    @Test func errorsNameTheEndpointAndSayWhatToDo() throws {
        let first = try Socket(.router, in: context, options: .listener)
        let endpoint = try first.bind("tcp://127.0.0.1:*")
        let second = try Socket(.router, in: context, options: .listener)
        let taken = try #require(throws: ZeroMQError.self) { try second.bind(endpoint) }
        #expect(taken.code == .addressInUse)
        #expect(taken.description.contains(endpoint))

        let nonsense = try #require(throws: ZeroMQError.self) { try second.connect("nonsense") }
        #expect(nonsense.code == .badEndpoint)
        #expect(nonsense.description.contains("tcp://127.0.0.1:5599"))
    }
}
