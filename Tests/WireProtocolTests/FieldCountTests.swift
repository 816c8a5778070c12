import Testing
import WireProtocol

/// Messages that are small on the wire and large in memory.
@Suite struct FieldCountTests {
    private func varint(_ value: Int) -> [UInt8] {
        var bytes: [UInt8] = []
        var rest = value
        repeat {
            bytes.append(UInt8(rest & 0x7F) | (rest > 0x7F ? 0x80 : 0))
            rest >>= 7
        } while rest > 0
        return bytes
    }

    private func field(_ number: Int, _ content: [UInt8]) -> [UInt8] {
        varint(number << 3 | 2) + varint(content.count) + content
    }

    private func decode(_ body: [UInt8]) -> WireError.Code? {
        do {
            _ = try WireFromWorker(frames: [WireFraming.tag, body])
            return nil
        } catch {
            return error.code
        }
    }

    /// A heartbeat that holds so many empty leases, two bytes each.
    private func heartbeat(leases: Int) -> [UInt8] {
        field(2, Array(repeatElement(field(1, []), count: leases).joined()))
    }

    @Test func manyPartsAreTakenAndTooManyAreNot() {
        #expect(decode(heartbeat(leases: 0)) == nil)
        #expect(decode(heartbeat(leases: 100_000)) == nil)
        #expect(decode(heartbeat(leases: (1 << 18) + 1)) == .tooLarge)
        #expect(decode(heartbeat(leases: 8_000_000)) == .tooLarge)
        // Many envelopes in one, each with a little.
        #expect(decode(Array(repeatElement(heartbeat(leases: 100), count: 10_000).joined())) == .tooLarge)
    }

    @Test func whatIsCutOffIsRefused() {
        let whole = heartbeat(leases: 10)
        for length in 1..<whole.count { #expect(decode(Array(whole.prefix(length))) != nil, "\(length)") }
        for bytes: [UInt8] in [
            [0x80], [0x0A, 0xFF], [0x0A, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0x7F], [0x0B], [0x0F],
        ] {
            #expect(decode(bytes) != nil, "\(bytes)")
        }
    }

    @Test func whatOneMessageMayHoldStaysReadable() throws {
        var message = WireFromClient()
        message.addItems.batch = "b"
        message.addItems.items = (0..<50_000).map { "item \($0)" }
        #expect(try WireFromClient(frames: message.frames()) == message)
    }
}
