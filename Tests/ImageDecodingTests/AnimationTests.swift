import Foundation
import ImageDecoding
import TestSupport
import Testing

/// Of a picture that moves, the first one counts.
@Suite struct AnimationTests {
    private func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: Repository.fixture("images/\(name)")))
    }

    private func little(_ value: Int, _ count: Int) -> [UInt8] { (0..<count).map { UInt8(value >> (8 * $0) & 0xFF) } }

    private func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
        Array(name.utf8) + little(body.count, 4) + body + (body.count % 2 == 0 ? [] : [0])
    }

    /// The chunks of a still WebP that hold its pixels.
    private func pixelChunks(_ still: [UInt8]) -> [UInt8] {
        var found: [UInt8] = [], position = 12
        while position + 8 <= still.count {
            let length = (0..<4).reduce(0) { $0 | Int(still[position + 4 + $1]) << (8 * $1) }
            let end = min(position + 8 + length + length % 2, still.count)
            let name = String(decoding: still[position..<position + 4], as: UTF8.self)
            if ["ALPH", "VP8 ", "VP8L"].contains(name) { found += still[position..<end] }
            position = end
        }
        return found
    }

    /// An animation on a canvas whose frames are these still pictures, each at an even place.
    private func animation(
        width: Int, height: Int, _ frames: [(still: [UInt8], x: Int, y: Int, width: Int, height: Int)]
    ) -> [UInt8] {
        var body = Array("WEBP".utf8)
        body += chunk("VP8X", [0b0001_0010, 0, 0, 0] + little(width - 1, 3) + little(height - 1, 3))
        body += chunk("ANIM", [255, 255, 255, 255, 0, 0])
        for frame in frames {
            let place = little(frame.x / 2, 3) + little(frame.y / 2, 3)
            let sides = little(frame.width - 1, 3) + little(frame.height - 1, 3)
            body += chunk("ANMF", place + sides + little(100, 3) + [0b10] + pixelChunks(frame.still))
        }
        return Array("RIFF".utf8) + little(body.count, 4) + body
    }

    @Test(arguments: ["webp_lossy.webp", "webp_lossless.webp"])
    func theFirstFrameOfAnAnimatedWebP(name: String) throws {
        let still = try bytes(name), other = try bytes("webp_lossless_alpha.webp")
        let picture = try Picture(decoding: still), second = try Picture(decoding: other)
        let moving = animation(
            width: max(picture.width, second.width), height: max(picture.height, second.height),
            [
                (still, 0, 0, picture.width, picture.height), (other, 0, 0, second.width, second.height),
            ])
        let found = try Picture(decoding: moving)
        #expect(found.width == max(picture.width, second.width) && found.height == max(picture.height, second.height))
        for y in 0..<picture.height {
            let row = found.pixels[y * found.width * 3..<(y * found.width + picture.width) * 3]
            #expect(row.elementsEqual(picture.pixels[y * picture.width * 3..<(y + 1) * picture.width * 3]))
        }
        #expect(try Picture(decoding: moving) == found)
    }

    @Test func whatTheFirstFrameDoesNotCoverIsBlack() throws {
        let still = try bytes("webp_lossless.webp"), picture = try Picture(decoding: still)
        let moving = animation(
            width: picture.width + 6, height: picture.height + 4, [(still, 6, 4, picture.width, picture.height)])
        let found = try Picture(decoding: moving)
        #expect(found.pixels[..<(4 * found.width * 3)].allSatisfy { $0 == 0 })
        for y in 0..<picture.height {
            let start = (y + 4) * found.width * 3
            #expect(found.pixels[start..<start + 18].allSatisfy { $0 == 0 })
            #expect(
                found.pixels[start + 18..<start + found.width * 3]
                    .elementsEqual(picture.pixels[y * picture.width * 3..<(y + 1) * picture.width * 3]))
        }
    }

    @Test func damagedAnimationsAreErrors() throws {
        let still = try bytes("webp_lossless.webp"), picture = try Picture(decoding: still)
        let moving = animation(
            width: picture.width, height: picture.height, [(still, 0, 0, picture.width, picture.height)])
        func code(_ bytes: [UInt8]) -> ImageError.Code? {
            do {
                _ = try Picture(decoding: bytes)
                return nil
            } catch { return error.code }
        }
        #expect(code(moving) == nil)
        #expect(code(Array(moving.dropLast(moving.count / 2))) == .truncated)
        #expect(code(animation(width: picture.width, height: picture.height, [])) == .damaged)
        // A frame that reaches beyond the canvas.
        #expect(code(animation(width: 2, height: 2, [(still, 0, 0, picture.width, picture.height)])) == .damaged)
        for place in stride(from: 12, to: moving.count, by: 7) {
            var bytes = moving
            bytes[place] ^= 0xFF
            _ = code(bytes)
        }
    }

    private func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { sum, byte in
            (0..<8).reduce(sum ^ UInt32(byte)) { rest, _ in rest & 1 == 1 ? 0xEDB8_8320 ^ rest >> 1 : rest >> 1 }
        }
    }

    private func big(_ value: UInt32) -> [UInt8] { [24, 16, 8, 0].map { UInt8(truncatingIfNeeded: value >> $0) } }

    @Test func theFirstFrameOfAnAnimatedPNG() throws {
        let still = try bytes("rgb.png"), picture = try Picture(decoding: still)
        func chunk(_ name: String, _ body: [UInt8]) -> [UInt8] {
            big(UInt32(body.count)) + Array(name.utf8) + body + big(checksum(Array(name.utf8) + body))
        }
        let sides = big(UInt32(picture.width)) + big(UInt32(picture.height))
        func frame(_ number: UInt32) -> [UInt8] {
            chunk("fcTL", big(number) + sides + big(0) + big(0) + [0, 1, 0, 10, 0, 0])
        }
        // Two frames, of which the first is the picture itself; the data of the second stand in a chunk of their own.
        let moving =
            still[..<33] + chunk("acTL", big(2) + big(0)) + frame(0) + still[33..<(still.count - 12)] + frame(1)
            + chunk("fdAT", big(2) + [0x78, 0x9C]) + still[(still.count - 12)...]
        #expect(try Picture(decoding: Array(moving)) == picture)
    }

    @Test func theFirstFrameOfAGIF() throws {
        let still = try bytes("gif_palette.gif"), picture = try Picture(decoding: still)
        // Signature, screen and 64 colours stand before a frame.
        let moving = still.dropLast() + (try bytes("gif_local_palette.gif"))[205...]
        #expect(try Picture(decoding: Array(moving)) == picture)
        #expect(try Picture(decoding: Array(moving)).notes == [])
        // Of a frame that is not looked at nothing need be there.
        let cut = try Picture(decoding: Array(moving.dropLast(100)))
        #expect(cut.pixels == picture.pixels && cut.notes == [.noEndMark])
    }

    /// The last bytes of a GIF are an empty block, which ends the frame, and the mark that ends the file.
    @Test func aGIFWithoutItsEndIsReadWithANote() throws {
        let still = try bytes("gif_palette.gif"), picture = try Picture(decoding: still)
        for cut in [still.dropLast(1), still.dropLast(2)] {
            let found = try Picture(decoding: Array(cut))
            #expect(found.pixels == picture.pixels && found.notes == [.noEndMark], "\(cut.count) bytes")
        }
        #expect(throws: ImageError.self) { _ = try Picture(decoding: still.dropLast(3)) }
        // What follows the mark is nobody's.
        #expect(try Picture(decoding: still + [0x0A, 0x3B, 0]) == picture)
    }
}
