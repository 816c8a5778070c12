/// How large a picture may be before it is refused, checked before memory is taken for its pixels.
public struct PictureLimits: Equatable, Sendable {
    /// The most pixels, width times height. The default is the size from which Pillow warns of a decompression bomb.
    public var pixels: Int
    /// The most pixels in one direction.
    public var side: Int
    /// The most bytes of the encoded file.
    public var bytes: Int

    /// Limits, by default 89,478,485 pixels, 65,535 pixels a side (JPEG's own limit) and 256 MiB.
    public init(pixels: Int = 89_478_485, side: Int = 65_535, bytes: Int = 256 << 20) {
        self.pixels = pixels
        self.side = side
        self.bytes = bytes
    }

    /// Refuses a declared size that is over the limits.
    func check(width: Int, height: Int) throws(ImageError) {
        guard width > 0, height > 0 else {
            throw ImageError(.damaged, "the file declares \(width)×\(height) pixels; replace it")
        }
        let (area, overflow) = width.multipliedReportingOverflow(by: height)
        guard !overflow, area <= pixels, width <= side, height <= side else {
            throw ImageError(
                .tooLarge,
                "the file declares \(width)×\(height) pixels, more than the \(pixels) in all and \(side) a side that "
                    + "are read; scale it down")
        }
    }
}
