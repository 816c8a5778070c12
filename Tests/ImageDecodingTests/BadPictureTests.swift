import Foundation
import ImageDecoding
import TestSupport
import Testing

@Suite struct BadPictureTests {
    private func code(_ bytes: [UInt8], _ options: DecodingOptions = DecodingOptions()) -> ImageError.Code? {
        do {
            _ = try Picture(decoding: bytes, options: options)
            return nil
        } catch {
            return error.code
        }
    }

    @Test func bytesThatAreNoPicture() {
        #expect(code([]) == .empty)
        #expect(code(Array("Not found".utf8)) == .notAPicture)
        #expect(code([UInt8](repeating: 0, count: 5000)) == .notAPicture)
        #expect(code(Array("GIF89a".utf8)) == .truncated)
        #expect(code(Array("BM6".utf8)) == .unsupported)
        for brand in ["heic", "mif1", "avif", "hevx"] {
            #expect(code([0, 0, 0, 24] + Array("ftyp\(brand)".utf8) + [0, 0, 0, 0]) == .unsupported)
        }
        #expect(code([0x49, 0x49, 0x2B, 0x00, 8, 0]) == .unsupported)
        #expect(code([0xFF, 0xD8]) == .truncated)
    }

    @Test func errorsNameTheFileAndWhatToDo() throws {
        let folder = try TemporaryDirectory()
        let file = folder.file("empty.jpg")
        try Data().write(to: file)
        let error = #expect(throws: ImageError.self) { try Picture(contentsOf: file) }
        #expect(error?.description == "the file is empty; copy or download it again: \(file.path)")

        let missing = #expect(throws: ImageError.self) { try Picture(contentsOf: folder.file("none.png")) }
        #expect(missing?.code == .unreadable)
        #expect(missing?.file == folder.file("none.png").path)
        #expect(missing?.description.hasPrefix("the picture cannot be read (No such file") == true)
        let scan = folder.file("x.tif")
        try Data([0x49, 0x49, 0x2A, 0x00]).write(to: scan)
        let unread = #expect(throws: ImageError.self) { try Picture(contentsOf: scan) }
        #expect(unread?.description == "a TIFF picture is not read; convert it to JPEG, PNG or WebP: \(scan.path)")
        let directory = #expect(throws: ImageError.self) { try Picture(contentsOf: folder.url) }
        #expect(directory?.code == .notAPicture)
    }

    @Test func declaredSizesAreCheckedBeforeMemoryIsTaken() throws {
        #expect(code(png(width: 30_000, height: 30_000)) == .tooLarge)
        #expect(code(png(width: 2_000_000_000, height: 2_000_000_000)) == .tooLarge)
        #expect(code(png(width: 80_000, height: 1)) == .tooLarge)
        #expect(code(png(width: 20, height: 10), DecodingOptions(limits: PictureLimits(pixels: 199))) == .tooLarge)
        #expect(code(png(width: 20, height: 10), DecodingOptions(limits: PictureLimits(pixels: 200))) == .truncated)
        #expect(code(png(width: 20, height: 10), DecodingOptions(limits: PictureLimits(bytes: 30))) == .tooLarge)

        var jpeg = [UInt8](try Data(contentsOf: Repository.fixture("images/jpeg_420.jpg")))
        let frame = try #require(jpeg.firstRange(of: [0xFF, 0xC0]))
        jpeg.replaceSubrange(frame.lowerBound + 5..<frame.lowerBound + 9, with: [0x75, 0x30, 0x75, 0x30])
        let folder = try TemporaryDirectory()
        let file = folder.file("huge.jpg")
        try Data(jpeg).write(to: file)
        let error = #expect(throws: ImageError.self) { try Picture(contentsOf: file) }
        #expect(error?.code == .tooLarge)
        #expect(error?.description.hasPrefix("the file declares 30000×30000 pixels") == true)
    }

    /// What is found before a batch runs may miss things, but never accuses a picture that is decoded.
    @Test(arguments: GoldenPictures.all)
    func theBeginningOfWhatIsDecodedIsAccepted(_ golden: GoldenPicture) throws {
        try Picture.checkBeginning(of: golden.url)
    }

    @Test func theBeginningTellsOfMuch() throws {
        let folder = try TemporaryDirectory()
        func code(_ name: String, _ bytes: [UInt8]) throws -> ImageError.Code? {
            try Data(bytes).write(to: folder.file(name))
            do {
                try Picture.checkBeginning(of: folder.file(name))
                return nil
            } catch {
                return error.code
            }
        }
        #expect(try code("empty.jpg", []) == .empty)
        #expect(try code("text.png", Array("no picture at all".utf8)) == .notAPicture)
        #expect(try code("scan.tif", [0x49, 0x49, 0x2A, 0x00, 8, 0]) == .unsupported)
        #expect(try code("huge.png", png(width: 30_000, height: 30_000)) == .tooLarge)
        let jpeg = [UInt8](try Data(contentsOf: Repository.fixture("images/jpeg_420.jpg")))
        #expect(try code("cut.jpg", Array(jpeg.prefix(40))) == .truncated)
        let webp = [UInt8](
            try Data(contentsOf: try #require(GoldenPictures.all.first { $0.file.hasSuffix("webp") }).url))
        #expect(try code("cut.webp", Array(webp.dropLast())) == .truncated)
        // Metadata of more than the first read put the size behind it.
        let metadata = [[UInt8]](repeating: [0xFF, 0xE2, 0xFF, 0xFF] + [UInt8](repeating: 7, count: 65_533), count: 3)
        let long = Array(jpeg.prefix(2)) + metadata.flatMap(\.self) + jpeg.dropFirst(2)
        #expect(try Picture(decoding: long).pixels == Picture(decoding: jpeg).pixels)
        #expect(try code("long.jpg", long) == nil)
        #expect(try code("long-cut.jpg", Array(long.prefix(150_000))) == .truncated)
        let missing = #expect(throws: ImageError.self) { try Picture.checkBeginning(of: folder.file("missing")) }
        #expect(missing?.code == .unreadable)
    }

    @Test(arguments: GoldenPictures.all)
    func aTruncationIsAnErrorUnlessEveryPixelIsThere(_ golden: GoldenPicture) throws {
        let bytes = [UInt8](try Data(contentsOf: golden.url))
        let whole = try Picture(decoding: bytes)
        #expect(whole.notes == [])
        let near = Array(max(0, bytes.count - 16)..<bytes.count)
        for count in Array(stride(from: 0, to: bytes.count, by: max(1, bytes.count / 60))) + near {
            guard let cut = try? Picture(decoding: Array(bytes.prefix(count))) else { continue }
            #expect(
                cut.pixels == whole.pixels && cut.notes == [.noEndMark] && bytes.count - count <= 16,
                "\(golden.file) cut to \(count) of \(bytes.count) bytes was decoded")
        }
    }

    /// As Pillow does: what comes behind the last pixel is not needed for any of them.
    @Test(arguments: ["jpeg_420.jpg", "jpeg_grey.jpg", "jpeg_cmyk.jpg", "size_640x480.jpg"])
    func aJPEGWithoutItsEndMarkIsReadWithANote(_ file: String) throws {
        let bytes = [UInt8](try Data(contentsOf: Repository.fixture("images/\(file)")))
        let whole = try Picture(decoding: bytes)
        for tail in [[], [0, 0], [0xFF], [UInt8](repeating: 0, count: 40)] {
            let changed = try Picture(decoding: Array(bytes.dropLast(2)) + tail)
            #expect(changed.pixels == whole.pixels && changed.notes == [.noEndMark])
        }
        // More than the mark is a part of the picture.
        #expect(code(Array(bytes.dropLast(6))) == .truncated)
    }

    /// Another scan may be missing, which would make the picture finer.
    @Test func aJPEGOfSeveralScansNeedsItsEndMark() throws {
        let bytes = [UInt8](try Data(contentsOf: Repository.fixture("images/jpeg_420_progressive.jpg")))
        #expect(code(Array(bytes.dropLast(2))) == .truncated)
    }

    @Test(arguments: ["rgb.png", "grey_16bit.png", "palette.png", "interlaced_rgb.png", "size_1x1.png"])
    func aPNGWithoutItsEndIsReadWithANote(_ file: String) throws {
        let bytes = [UInt8](try Data(contentsOf: Repository.fixture("images/\(file)")))
        let whole = try Picture(decoding: bytes)
        for missing in [1, 4, 12, 13, 16] {  // the end chunk, and the checksum of the pixels before it
            let cut = try Picture(decoding: Array(bytes.dropLast(missing)))
            #expect(cut.pixels == whole.pixels && cut.notes == [.noEndMark], "\(missing) bytes")
        }
    }

    @Test(arguments: ["rgb.png", "grey_16bit.png", "palette.png", "interlaced_rgb.png"])
    func aWrongChecksumOfAPNGsPixelsIsReadWithANote(_ file: String) throws {
        let bytes = [UInt8](try Data(contentsOf: Repository.fixture("images/\(file)")))
        let whole = try Picture(decoding: bytes)
        let name = try #require(bytes.firstRange(of: Array("IDAT".utf8)))
        let length = bytes[(name.lowerBound - 4)..<name.lowerBound].reduce(0) { $0 << 8 | Int($1) }
        let end = name.upperBound + length
        var changed = bytes
        changed[end] ^= 1
        let read = try Picture(decoding: changed)
        #expect(read.pixels == whole.pixels && read.notes == [.badChecksum])
        // The packed pixels have a checksum of their own, which tells of damage to them.
        changed[end - 1] ^= 1
        #expect(code(changed) == .damaged)
    }

    @Test(arguments: GoldenPictures.all)
    func changedBytesNeverTrap(_ golden: GoldenPicture) throws {
        let bytes = [UInt8](try Data(contentsOf: golden.url))
        var random = SeededGenerator(seed: UInt64(checksum(golden.file.utf8)))
        let options = DecodingOptions(limits: PictureLimits(pixels: 2_000_000), appliesOrientation: true)
        for _ in 0..<60 {
            var changed = bytes
            for _ in 0...random.below(6) {
                let reach = random.below(2) == 0 ? bytes.count : min(bytes.count, 200)
                changed[random.below(reach)] = UInt8(random.below(256))
            }
            do {
                let picture = try Picture(decoding: changed, options: options)
                #expect(picture.pixels.count == picture.width * picture.height * 3)
            } catch {
                #expect(!error.message.isEmpty)
            }
        }
    }

    /// The first bytes of a PNG that declares a size, and no pixels.
    private func png(width: UInt32, height: UInt32) -> [UInt8] {
        func bytes(_ number: UInt32) -> [UInt8] { (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) } }
        func chunk(_ kind: String, _ body: [UInt8]) -> [UInt8] {
            let named = Array(kind.utf8) + body
            return bytes(UInt32(body.count)) + named + bytes(checksum(named))
        }
        return [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]
            + chunk("IHDR", bytes(width) + bytes(height) + [8, 2, 0, 0, 0]) + chunk("IDAT", [0x78, 0x9C])
    }
}
