/// The file formats that are read, told by their first bytes and never by a file name.
enum PictureFormat: String, Sendable {
    case jpeg = "JPEG"
    case png = "PNG"
    case webp = "WebP"
    case gif = "GIF"

    /// The format of these bytes.
    init(of bytes: UnsafeRawBufferPointer) throws(ImageError) {
        guard !bytes.isEmpty else {
            throw ImageError(.empty, "the file is empty; copy or download it again")
        }
        func starts(with signature: [UInt8], at offset: Int = 0) -> Bool {
            bytes.count >= offset + signature.count && bytes[offset..<offset + signature.count].elementsEqual(signature)
        }
        if starts(with: Self.jpegSignature) {
            self = .jpeg
        } else if starts(with: Self.pngSignature) {
            self = .png
        } else if starts(with: Array("RIFF".utf8)), starts(with: Array("WEBP".utf8), at: 8) {
            self = .webp
        } else if starts(with: Self.gifSignature) {
            self = .gif
        } else if let name = Self.others.first(where: { starts(with: $0.signature, at: $0.offset) })?.name {
            throw ImageError(.unsupported, "a \(name) picture is not read; convert it to JPEG, PNG or WebP")
        } else if Self.isStart(bytes) {
            throw ImageError(.truncated, "the file ends within its first bytes; copy or download it again")
        } else {
            throw ImageError(.notAPicture, "this is not a picture in JPEG, PNG, WebP or GIF format; check the path")
        }
    }

    private static let jpegSignature: [UInt8] = [0xFF, 0xD8, 0xFF]
    private static let pngSignature: [UInt8] = [0x89, 0x50, 0x4E, 0x47, 0x0D, 0x0A, 0x1A, 0x0A]

    private static let gifSignature = Array("GIF8".utf8)

    /// Formats that people do send, named so that the message helps.
    private static let others: [(name: String, signature: [UInt8], offset: Int)] =
        [
            ("BMP", Array("BM".utf8), 0),
            ("TIFF", [0x49, 0x49, 0x2A, 0x00], 0),
            ("TIFF", [0x4D, 0x4D, 0x00, 0x2A], 0),
            ("TIFF", [0x49, 0x49, 0x2B, 0x00], 0),
            ("TIFF", [0x4D, 0x4D, 0x00, 0x2B], 0),
            ("JPEG 2000", [0x00, 0x00, 0x00, 0x0C, 0x6A, 0x50], 0),
            ("JPEG XL", [0xFF, 0x0A], 0),
            ("JPEG XL", [0x00, 0x00, 0x00, 0x0C, 0x4A, 0x58, 0x4C], 0),
            ("SVG", Array("<svg".utf8), 0),
            ("ICO", [0x00, 0x00, 0x01, 0x00], 0),
            ("PSD", Array("8BPS".utf8), 0),
        ]
        // The brand of an ISO base media file says what is in it.
        + ["avif", "avis"].map { ("AVIF", Array("ftyp\($0)".utf8), 4) }
        + ["heic", "heix", "heim", "heis", "hevc", "hevx", "mif1", "msf1"].map { ("HEIC", Array("ftyp\($0)".utf8), 4) }

    /// Whether the bytes are too few to tell, but begin like a picture.
    private static func isStart(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let signatures = [jpegSignature, pngSignature, gifSignature, Array("RIFF".utf8)]
        return signatures.contains { bytes.count < 12 && $0.prefix(bytes.count).elementsEqual(bytes.prefix($0.count)) }
    }
}
