/// The square of pixels that the vision tower sees, before normalisation.
///
/// Bit for bit what Pillow's bicubic resize and Hugging Face's centre crop give. Only the pixels of the square are
/// computed: a picture of 17×900 would be 336×17,788 otherwise.
public struct PreparedPicture: Equatable, Sendable {
    /// The samples, (size, size, 3), row-major.
    public let pixels: [UInt8]
    /// Where the square lies on the source picture.
    public let geometry: PictureGeometry

    /// The side of the square, in pixels.
    public var size: Int { geometry.size }

    /// A square whose samples are at hand.
    init(pixels: [UInt8], geometry: PictureGeometry) {
        self.pixels = pixels
        self.geometry = geometry
    }

    /// Frames, resizes and crops a picture.
    public init(_ picture: Picture, settings: PicturePreprocessing = PicturePreprocessing()) throws(ImageError) {
        try settings.check()
        let geometry = PictureGeometry(width: picture.width, height: picture.height, settings: settings)
        self.geometry = geometry
        let columns = ResamplingAxis(
            input: geometry.framedWidth, output: geometry.resizedWidth, start: geometry.cropX, count: geometry.size)
        let rows = ResamplingAxis(
            input: geometry.framedHeight, output: geometry.resizedHeight, start: geometry.cropY, count: geometry.size)
        let narrow = picture.resampledRows(
            rows.inputRange, columns: columns, geometry: geometry, padding: settings.padding)
        pixels = rows.resampleRows(narrow, rowBytes: geometry.size * 3)
    }
}

extension Picture {
    /// The horizontal pass over the rows of `range` of the framed picture: (range, outputs, 3).
    fileprivate func resampledRows(
        _ range: Range<Int>, columns: ResamplingAxis, geometry: PictureGeometry, padding: [UInt8]
    ) -> [UInt8] {
        let rowBytes = geometry.size * 3
        let blank = (0..<geometry.framedWidth).flatMap { _ in padding }
        return [UInt8](unsafeUninitializedCapacity: range.count * rowBytes) { out, initialized in
            pixels.withUnsafeBufferPointer { pixels in
                var framed = blank
                // Rows above and below the source are all alike: one is computed, the others are copies.
                var blankRow: UnsafeBufferPointer<UInt8>?
                for (index, y) in range.enumerated() {
                    let target = UnsafeMutableBufferPointer(rebasing: out[index * rowBytes..<(index + 1) * rowBytes])
                    let sourceY = y - geometry.paddingY
                    guard (0..<height).contains(sourceY) else {
                        if let blankRow {
                            _ = target.initialize(fromContentsOf: blankRow)
                        } else {
                            blank.withUnsafeBufferPointer { columns.resampleRow($0, into: target) }
                            blankRow = UnsafeBufferPointer(target)
                        }
                        continue
                    }
                    let row = pixels[sourceY * width * 3..<(sourceY + 1) * width * 3]
                    if geometry.framedWidth == width {
                        columns.resampleRow(UnsafeBufferPointer(rebasing: row), into: target)
                    } else {
                        let left = geometry.paddingX * 3
                        framed.replaceSubrange(left..<left + width * 3, with: row)
                        framed.withUnsafeBufferPointer { columns.resampleRow($0, into: target) }
                    }
                }
            }
            initialized = range.count * rowBytes
        }
    }
}
