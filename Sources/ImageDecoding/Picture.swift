/// A decoded picture: 8-bit RGB, as Pillow's `convert("RGB")` gives it for the same file.
public struct Picture: Equatable, Sendable {
    /// Columns.
    public let width: Int
    /// Rows.
    public let height: Int
    /// The samples, (height, width, 3), row-major.
    public let pixels: [UInt8]
    /// How the file stored its colours.
    public let mode: ColourMode
    /// What was wrong with the file though every pixel was there.
    public let notes: [PictureNote]
    /// The EXIF orientation, 1 to 8, that the picture was turned by; 1 if it lies as its file stores it.
    public let orientation: UInt8

    /// A picture over given samples; `pixels` holds exactly `width * height * 3` of them.
    public init(
        width: Int, height: Int, pixels: [UInt8], mode: ColourMode = .rgb, notes: [PictureNote] = [],
        orientation: UInt8 = 1
    ) {
        precondition(width > 0 && height > 0, "a picture has at least one pixel")
        precondition(pixels.count == width * height * 3, "\(pixels.count) samples are not \(width)×\(height)×3")
        self.width = width
        self.height = height
        self.pixels = pixels
        self.mode = mode
        self.notes = notes
        self.orientation = orientation
    }
}

/// What is let pass in a picture file, as Pillow lets it pass, because every pixel is there all the same.
public enum PictureNote: String, Sendable, CaseIterable {
    /// What ends the file is missing, cut off or damaged: a JPEG's or GIF's end mark, or what follows the pixels of a PNG.
    case noEndMark = "no end mark"
    /// A checksum of a PNG is wrong; its pixels have another one inside, which is right.
    case badChecksum = "wrong checksum"
}

/// How a file stores colours, under the names that Pillow gives to its modes.
public enum ColourMode: String, Sendable, CaseIterable {
    /// One bit of grey.
    case bilevel = "1"
    /// Up to 8 bits of grey.
    case grey = "L"
    /// Grey with alpha; alpha is dropped.
    case greyAlpha = "LA"
    /// 16 bits of grey; clipped to 255, as Pillow does it.
    case grey16 = "I;16"
    /// Indices into a palette; transparency is ignored.
    case palette = "P"
    /// Red, green, blue; of 16-bit samples the high byte counts.
    case rgb = "RGB"
    /// Red, green, blue, alpha; alpha is dropped.
    case rgba = "RGBA"
    /// The four inks of a JPEG made for print (CMYK or YCCK).
    case cmyk = "CMYK"
}
