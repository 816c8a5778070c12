private import CImageCodecs
public import Foundation

/// What a caller may choose about decoding.
public struct DecodingOptions: Equatable, Sendable {
    /// The sizes that are refused.
    public var limits: PictureLimits
    /// Whether to turn the picture upright as its EXIF orientation says. LLaVA's own code and Hugging Face's processor do
    /// not; Hugging Face's `load_image` does.
    public var appliesOrientation: Bool

    /// The given choices; by default those of Hugging Face's processor.
    public init(limits: PictureLimits = PictureLimits(), appliesOrientation: Bool = false) {
        self.limits = limits
        self.appliesOrientation = appliesOrientation
    }
}

extension Picture {
    /// Reads and decodes a JPEG, PNG, WebP or GIF file; a moving picture gives its first frame. Errors name the file.
    public init(contentsOf url: URL, options: DecodingOptions = DecodingOptions()) throws(ImageError) {
        let bytes = try Self.bytes(of: url, limits: options.limits)
        do { self = try Picture(decoding: bytes, options: options) } catch { throw error.naming(url.path) }
    }

    /// The bytes of a picture file, for callers that also want to know them; errors name it.
    public static func bytes(of url: URL, limits: PictureLimits = PictureLimits()) throws(ImageError) -> [UInt8] {
        do { return try readFile(url.path, limit: limits.bytes).bytes } catch { throw error.naming(url.path) }
    }

    /// Throws if the beginning of a file shows that it cannot be decoded: it is no picture, of a kind that is not read, cut
    /// off early, or too large. Cheap; what is wrong further back is found when it is decoded. Errors do not name the file.
    public static func checkBeginning(of url: URL, limits: PictureLimits = PictureLimits()) throws(ImageError) {
        let beginning = try readFile(url.path, limit: limits.bytes, most: 64 << 10)
        do {
            try check(beginning.bytes, ofFile: beginning.size, limits)
        } catch {
            // Metadata can put the size far back.
            guard error.code == .truncated, beginning.bytes.count < beginning.size else { throw error }
            let whole = try readFile(url.path, limit: limits.bytes)
            try check(whole.bytes, ofFile: whole.size, limits)
        }
    }

    private static func check(_ bytes: [UInt8], ofFile size: Int, _ limits: PictureLimits) throws(ImageError) {
        try bytes.withUnsafeBufferPointer { (buffer) throws(ImageError) in
            _ = try checkedHeader(of: UnsafeRawBufferPointer(buffer), ofFile: size, limits)
        }
    }

    /// The format and header of a file of `size` bytes that begins with these.
    private static func checkedHeader(
        of bytes: UnsafeRawBufferPointer, ofFile size: Int, _ limits: PictureLimits
    ) throws(ImageError) -> (PictureFormat, codec_header) {
        let format = try PictureFormat(of: bytes)
        if format == .webp { try checkRIFFLength(bytes, ofFile: size) }
        let header = try format.header(of: bytes)
        try limits.check(width: Int(header.width), height: Int(header.height))
        return (format, header)
    }

    /// Decodes the bytes of a JPEG, PNG, WebP or GIF file.
    public init(decoding bytes: [UInt8], options: DecodingOptions = DecodingOptions()) throws(ImageError) {
        guard bytes.count <= options.limits.bytes else {
            throw ImageError(
                .tooLarge, "the file holds \(bytes.count) bytes, more than the \(options.limits.bytes) that are read")
        }
        self = try bytes.withUnsafeBufferPointer { (buffer) throws(ImageError) in
            try Picture(decoding: UnsafeRawBufferPointer(buffer), options: options)
        }
    }

    private init(decoding bytes: UnsafeRawBufferPointer, options: DecodingOptions) throws(ImageError) {
        let (format, header) = try Self.checkedHeader(of: bytes, ofFile: bytes.count, options.limits)
        let width = Int(header.width), height = Int(header.height)
        let (pixels, notes) = try format.pixels(of: bytes, header: header)
        let picture = Picture(
            width: width, height: height, pixels: pixels, mode: ColourMode(header.mode), notes: notes)
        self = options.appliesOrientation ? picture.turned(Orientation(of: bytes, format: format)) : picture
    }
}

extension PictureFormat {
    /// The declared size and colour mode.
    fileprivate func header(of bytes: UnsafeRawBufferPointer) throws(ImageError) -> codec_header {
        var header = codec_header()
        var reason = codec_reason()
        let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        let status =
            switch self {
            case .jpeg: codec_jpeg_header(start, bytes.count, &header, &reason)
            case .png: codec_png_header(start, bytes.count, &header, &reason)
            case .webp: codec_webp_header(start, bytes.count, &header, &reason)
            case .gif: codec_gif_header(start, bytes.count, &header, &reason)
            }
        try check(status, reason)
        return header
    }

    /// The samples, (height, width, 3), and what was let pass.
    fileprivate func pixels(
        of bytes: UnsafeRawBufferPointer, header: codec_header
    ) throws(ImageError) -> ([UInt8], [PictureNote]) {
        let count = Int(header.width) * Int(header.height) * 3
        var reason = codec_reason()
        var status: Int32 = 0
        var notes: UInt32 = 0
        let start = bytes.assumingMemoryBound(to: UInt8.self).baseAddress
        let pixels = [UInt8](unsafeUninitializedCapacity: count) { buffer, initialized in
            // Zeroed, so that nothing of the process leaks into a picture whatever a codec leaves unwritten.
            buffer.initialize(repeating: 0)
            status = withUnsafePointer(to: header) { header in
                switch self {
                case .jpeg: codec_jpeg_pixels(start, bytes.count, header, buffer.baseAddress, &notes, &reason)
                case .png: codec_png_pixels(start, bytes.count, header, buffer.baseAddress, &notes, &reason)
                case .webp: codec_webp_pixels(start, bytes.count, header, buffer.baseAddress, &reason)
                case .gif: codec_gif_pixels(start, bytes.count, header, buffer.baseAddress, &notes, &reason)
                }
            }
            initialized = count
        }
        try check(status, reason)
        let found = [(CODEC_NO_END_MARK, PictureNote.noEndMark), (CODEC_BAD_CHECKSUM, .badChecksum)]
        return (pixels, found.filter { notes & $0.0.rawValue != 0 }.map(\.1))
    }

    private func check(_ status: Int32, _ reason: codec_reason) throws(ImageError) {
        guard status != Int32(CODEC_OK.rawValue) else { return }
        let words = withUnsafeBytes(of: reason.text) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
        let why = words.isEmpty ? "" : " (\(words))"
        switch UInt32(status) {
        case CODEC_TRUNCATED.rawValue:
            throw ImageError(.truncated, "the \(rawValue) picture is cut short\(why); copy or download it again")
        case CODEC_UNSUPPORTED.rawValue:
            throw ImageError(
                .unsupported, "this kind of \(rawValue) picture is not read\(why); save it as a plain JPEG or PNG")
        case CODEC_OUT_OF_MEMORY.rawValue:
            throw ImageError(.outOfMemory, "not enough memory to decode the \(rawValue) picture\(why); scale it down")
        default:
            throw ImageError(.damaged, "the \(rawValue) picture is damaged\(why); copy or download it again")
        }
    }
}

extension ColourMode {
    fileprivate init(_ mode: Int32) {
        self =
            switch UInt32(mode) {
            case CODEC_BILEVEL.rawValue: .bilevel
            case CODEC_GREY.rawValue: .grey
            case CODEC_GREY_ALPHA.rawValue: .greyAlpha
            case CODEC_GREY_16.rawValue: .grey16
            case CODEC_PALETTE.rawValue: .palette
            case CODEC_RGBA.rawValue: .rgba
            case CODEC_CMYK.rawValue: .cmyk
            default: .rgb
            }
    }
}

/// libwebp decodes a file whose trailing chunks are missing; the container says how long it should be.
private func checkRIFFLength(_ bytes: UnsafeRawBufferPointer, ofFile size: Int) throws(ImageError) {
    let declared = (0..<4).reduce(0) { $0 | Int(bytes[4 + $1]) << (8 * $1) }
    guard size >= declared + 8 else {
        throw ImageError(
            .truncated,
            "the WebP picture holds \(size) of its \(declared + 8) bytes; copy or download it again")
    }
}
