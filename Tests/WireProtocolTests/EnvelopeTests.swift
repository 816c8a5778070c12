import Foundation
import TestSupport
import Testing
import WireProtocol

@Suite struct EnvelopeTests {
    static func report() -> WireFromWorker {
        var row = WireRow()
        row.lease = WireLease(job: 17, epoch: 2, progress: 9)
        row.row = 3
        row.failed = true
        row.error = "no picture"
        row.summary.answer = "ja – oui"
        row.summary.visualTokens = 192
        row.summary.seconds = 0.5
        var report = WireShardReport()
        report.batch = "demo"
        report.shard = "shards/ab/01.h5"
        report.sha256 = Data([0xde, 0xad])
        report.bytes = 300
        report.rows = [row]
        var message = WireFromWorker()
        message.report = report
        return message
    }

    /// Bytes of `report()`, checked against `protoc --encode=winnow.v1.FromWorker`: what old peers send must stay readable.
    static let golden =
        "22520a0464656d6f120f7368617264732f61622f30312e68351a02dead20ac022a320a0608111002180910031801220a"
        + "6e6f20706963747572652a180a0a6a6120e28093206f756910c00119000000000000e03f"

    @Test func bytesOnTheWireDoNotChange() throws {
        let frames = try Self.report().frames()
        #expect(frames.count == 2)
        #expect(frames.first == [0x57, 0x4e, 0x57, 0x31])
        #expect(frames.last.map { $0.map { String(format: "%02x", $0) }.joined() } == Self.golden)
        #expect(try WireFromWorker(frames: frames) == Self.report())
    }

    @Test func everyEnvelopeSurvivesTheWire() throws {
        var toWorker = WireToWorker()
        toWorker.welcome = WireWelcome(heartbeat: .seconds(2), lease: .seconds(30))
        #expect(try WireToWorker(frames: toWorker.frames()) == toWorker)
        #expect(toWorker.welcome.heartbeat == .seconds(2))
        #expect(toWorker.welcome.leaseMilliseconds == 30_000)

        var fromClient = WireFromClient()
        fromClient.request = 5
        fromClient.hello = .client(session: "s")
        #expect(try WireFromClient(frames: fromClient.frames()) == fromClient)

        var toClient = WireToClient()
        toClient.request = 5
        toClient.refusal = WireRefusal(code: "unknown-batch", message: "no batch of this name")
        #expect(try WireToClient(frames: toClient.frames()) == toClient)
    }

    @Test func messagesThatAreNotOursAreRefusedWithAReason() throws {
        let good = try Self.report().frames()
        func code(_ frames: [[UInt8]]) -> WireError.Code? {
            do {
                _ = try WireFromWorker(frames: frames)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(code([]) == .frameCount)
        #expect(code([good[0]]) == .frameCount)
        #expect(code(good + [[]]) == .frameCount)
        #expect(code([[], good[1]]) == .tag)
        #expect(code([[0x57, 0x4e, 0x57, 0x32], good[1]]) == .tag)
        #expect(code([good[0], [0xff, 0xff]]) == .undecodable)
        #expect(code([good[0], Array(good[1].dropLast())]) == .undecodable)
        #expect(code([good[0], []]) == .unknownKind)
        #expect(code([good[0], [0xf8, 0x3f, 1]]) == .unknownKind)
        #expect(code([good[0], [UInt8](repeating: 0, count: WireFraming.maximumBodyBytes + 1)]) == .tooLarge)
        #expect(code(good) == nil)
    }

    @Test func aMessageOverTheLimitIsNotSent() throws {
        var add = WireAddItems()
        add.items = [String(repeating: "x", count: WireFraming.maximumBodyBytes)]
        var message = WireFromClient()
        message.addItems = add
        let error = try #require(throws: WireError.self) { _ = try message.frames() }
        #expect(error.code == .tooLarge)
        #expect(error.message.contains("fewer items"))
    }

    /// Random damage never traps, and what decodes can be sent again.
    @Test(arguments: 0..<8 as Range<UInt64>)
    func damagedMessagesNeverTrap(seed: UInt64) throws {
        var random = SeededGenerator(seed: seed)
        let original = try Self.report().frames()
        for _ in 0..<2_000 {
            var body = original[1]
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                guard !body.isEmpty else { break }
                let place = Int.random(in: 0..<body.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: body[place] = UInt8.random(in: 0...255, using: &random)
                case 1: body[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                case 2: body.removeSubrange(place...)
                default: body.insert(UInt8.random(in: 0...255, using: &random), at: place)
                }
            }
            do {
                let message = try WireFromWorker(frames: [original[0], body])
                #expect(message.hasContent)
                _ = try message.frames()
            } catch {
                #expect([.undecodable, .unknownKind].contains(error.code))
            }
        }
    }

    @Test func anotherProtocolVersionIsRefusedNamingBoth() throws {
        var hello = WireHello.worker("w", session: "s", capacity: 4, held: [])
        #expect(ProtocolVersion.refusal(of: hello) == nil)
        hello.protocolVersion = 99
        hello.software = "winnow 9.0"
        let refusal = try #require(ProtocolVersion.refusal(of: hello))
        #expect(refusal.code == WireRefusal.versionCode)
        #expect(refusal.message.contains("winnow 9.0") && refusal.message.contains("99"))

        var welcome = WireWelcome(heartbeat: .seconds(1), lease: .seconds(3))
        try ProtocolVersion.check(welcome)
        welcome.protocolVersion = ProtocolVersion.current + 1
        let error = try #require(throws: WireError.self) { try ProtocolVersion.check(welcome) }
        #expect(error.code == .version)
    }
}
