import Foundation
import ImageDecoding
import TestSupport
import Testing

/// What Pillow makes of the fixture pictures, from Tests/Fixtures/images/make_images.py.
struct GoldenPictures: Decodable {
    var pictures: [GoldenPicture]
    var normalisation: GoldenNormalisation

    static func load() throws -> GoldenPictures {
        try JSONDecoder().decode(
            GoldenPictures.self, from: Data(contentsOf: Repository.fixture("images/expected.json")))
    }

    /// The pictures, as arguments of parameterised tests.
    static let all: [GoldenPicture] = (try? load().pictures) ?? []
}

struct GoldenPicture: Decodable, Sendable, CustomTestStringConvertible {
    var file: String
    var mode: String
    var rgb: GoldenSamples
    var upright: GoldenSamples?
    var crop: GoldenSamples
    var pad: GoldenSamples
    var small: GoldenSamples

    var url: URL { Repository.fixture("images/\(file)") }
    var testDescription: String { file }
}

struct GoldenSamples: Decodable, Sendable {
    var width: Int
    var height: Int
    var crc32: UInt32
    /// Some samples as x, y, red, green, blue.
    var samples: [[Int]]

    /// Expects the same samples: a few in the open, so that a failure can be read, and all through their sum.
    func expectEqual(
        _ pixels: [UInt8], width: Int, height: Int, sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        #expect(width == self.width, sourceLocation: sourceLocation)
        #expect(height == self.height, sourceLocation: sourceLocation)
        try #require(pixels.count == self.width * self.height * 3, sourceLocation: sourceLocation)
        for sample in samples {
            let start = (sample[1] * width + sample[0]) * 3
            let found = pixels[start..<start + 3].map(Int.init)
            #expect(found == Array(sample[2...]), "at \(sample[0]), \(sample[1])", sourceLocation: sourceLocation)
        }
        #expect(checksum(pixels) == crc32, sourceLocation: sourceLocation)
    }
}

struct GoldenNormalisation: Decodable {
    var file: String
    var table_crc32: UInt32
    var channels_first_crc32: UInt32
    var patches_crc32: UInt32
}

/// CRC-32 as zlib computes it.
func checksum(_ bytes: some Sequence<UInt8>) -> UInt32 {
    ~bytes.reduce(~0) { crcTable[Int(($0 ^ UInt32($1)) & 0xFF)] ^ ($0 >> 8) }
}

private let crcTable: [UInt32] = (0..<256).map { index in
    (0..<8).reduce(UInt32(index)) { crc, _ in crc & 1 == 1 ? 0xEDB8_8320 ^ (crc >> 1) : crc >> 1 }
}
