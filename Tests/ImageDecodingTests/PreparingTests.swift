import ImageDecoding
import JobVocabulary
import Testing

@Suite struct PreparingTests {
    @Test(arguments: GoldenPictures.all)
    func cropsAsHuggingFaceDoes(_ golden: GoldenPicture) throws {
        let prepared = try PreparedPicture(Picture(contentsOf: golden.url))
        try golden.crop.expectEqual(prepared.pixels, width: prepared.size, height: prepared.size)
    }

    @Test(arguments: GoldenPictures.all)
    func padsAsTheOriginalDoes(_ golden: GoldenPicture) throws {
        let settings = PicturePreprocessing(framing: .pad)
        let prepared = try PreparedPicture(Picture(contentsOf: golden.url), settings: settings)
        try golden.pad.expectEqual(prepared.pixels, width: prepared.size, height: prepared.size)
    }

    @Test(arguments: GoldenPictures.all)
    func followsOtherSizes(_ golden: GoldenPicture) throws {
        let settings = PicturePreprocessing(shortestEdge: 50, cropSize: 42)
        let prepared = try PreparedPicture(Picture(contentsOf: golden.url), settings: settings)
        try golden.small.expectEqual(prepared.pixels, width: prepared.size, height: prepared.size)
    }

    @Test func normalisesAsHuggingFaceDoes() throws {
        let golden = try GoldenPictures.load()
        let normalisation = try PixelNormalisation()
        #expect(normalisation.table.prefix(3) == [-1.7922626, -1.7520971, -1.4802198])
        #expect(normalisation.table.suffix(3) == [1.9303361, 2.0748837, 2.145897])
        #expect(sum(normalisation.table) == golden.normalisation.table_crc32)

        let picture = try #require(golden.pictures.first { $0.file == golden.normalisation.file })
        let prepared = try PreparedPicture(Picture(contentsOf: picture.url))
        #expect(sum(normalisation.channelsFirst(prepared)) == golden.normalisation.channels_first_crc32)
        let patches = normalisation.patches(prepared, side: 14)
        #expect(patches.count == 576 * 588)
        #expect(sum(patches) == golden.normalisation.patches_crc32)
    }

    @Test func remembersWhereTheSquareLies() throws {
        let tall = Picture(width: 17, height: 900, pixels: [UInt8](repeating: 7, count: 17 * 900 * 3))
        let cropped = try PreparedPicture(tall).geometry
        #expect(cropped.resizedWidth == 336)
        #expect(cropped.resizedHeight == 17_788)
        #expect(cropped.cropX == 0)
        #expect(cropped.cropY == 8726)
        #expect(cropped.framedHeight == 900)

        let padded = try PreparedPicture(tall, settings: PicturePreprocessing(framing: .pad)).geometry
        #expect(padded.paddingX == 441)
        #expect(padded.paddingY == 0)
        #expect(padded.framedWidth == 900)
        #expect(padded.resizedHeight == 336)
        #expect(padded.cropY == 0)
    }

    @Test func theLongestPictureAllowedIsPrepared() throws {
        let line = Picture(width: 65_535, height: 1, pixels: [UInt8](repeating: 9, count: 65_535 * 3))
        let cropped = try PreparedPicture(line)
        #expect(cropped.pixels.allSatisfy { $0 == 9 })
        let padded = try PreparedPicture(line, settings: PicturePreprocessing(framing: .pad))
        #expect(padded.pixels[...2] == [122, 116, 104])
    }

    @Test(arguments: [
        PicturePreprocessing(shortestEdge: 100, cropSize: 336),
        PicturePreprocessing(cropSize: 0),
        PicturePreprocessing(shortestEdge: .max),
        PicturePreprocessing(mean: [0.5]),
        PicturePreprocessing(standardDeviation: [1, 0, 1]),
        PicturePreprocessing(rescaleFactor: .nan),
    ])
    func refusesImpossibleSettings(_ settings: PicturePreprocessing) throws {
        let picture = Picture(width: 1, height: 1, pixels: [1, 2, 3])
        let error = #expect(throws: ImageError.self) { try PreparedPicture(picture, settings: settings) }
        #expect(error?.code == .badSettings)
    }
}

/// The CRC-32 of the little-endian bytes of float32 numbers.
private func sum(_ values: [Float]) -> UInt32 {
    values.withUnsafeBytes { checksum($0) }
}
