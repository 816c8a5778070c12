/// A picture as LLaVA-NeXT sees it: squashed into one tile, then laid on a canvas that is cut into tiles row by row.
///
/// Bit for bit what Pillow's bicubic resize and transformers' `LlavaNextImageProcessor` give before normalisation.
public struct TiledPicture: Equatable, Sendable {
    /// The canvas.
    public let canvas: TileCanvas
    /// The whole picture in one tile, then the tiles of the canvas.
    public let tiles: [PreparedPicture]

    /// Cuts `picture` into tiles of `tile` pixels a side, on the best of some canvases.
    public init(_ picture: Picture, canvases: [TileCanvas.Size], tile: Int) {
        let canvas = TileCanvas(
            forWidth: picture.width, height: picture.height, choosingFrom: canvases, tile: tile)
        self.canvas = canvas
        let whole = PreparedPicture(
            pixels: picture.resized(width: tile, height: tile),
            geometry: PictureGeometry(
                of: picture, resizedWidth: tile, resizedHeight: tile, cropX: 0, cropY: 0, size: tile))
        let pixels = picture.resized(width: canvas.resizedWidth, height: canvas.resizedHeight)
        tiles =
            [whole]
            + (0..<canvas.tileRows * canvas.tileColumns).map { number in
                let (row, column) = number.quotientAndRemainder(dividingBy: canvas.tileColumns)
                let geometry = PictureGeometry(
                    of: picture, resizedWidth: canvas.resizedWidth, resizedHeight: canvas.resizedHeight,
                    cropX: column * tile - canvas.paddingX, cropY: row * tile - canvas.paddingY, size: tile)
                return PreparedPicture(pixels: Self.window(geometry, of: pixels), geometry: geometry)
            }
    }

    /// The square of a geometry out of a resized picture, (size, size, 3); black where it reaches beyond the picture.
    private static func window(_ geometry: PictureGeometry, of resized: [UInt8]) -> [UInt8] {
        let size = geometry.size
        var window = [UInt8](repeating: 0, count: size * size * 3)
        let columns = (geometry.cropX..<geometry.cropX + size).clamped(to: 0..<geometry.resizedWidth)
        guard !columns.isEmpty else { return window }
        for y in (geometry.cropY..<geometry.cropY + size).clamped(to: 0..<geometry.resizedHeight) {
            let source = (y * geometry.resizedWidth + columns.lowerBound) * 3
            let target = ((y - geometry.cropY) * size + columns.lowerBound - geometry.cropX) * 3
            window.replaceSubrange(
                target..<target + columns.count * 3, with: resized[source..<source + columns.count * 3])
        }
        return window
    }
}

extension Picture {
    /// The samples of the picture at another size, (height, width, 3): bicubic, rows before columns.
    fileprivate func resized(width: Int, height: Int) -> [UInt8] {
        let columns = ResamplingAxis(input: self.width, output: width, start: 0, count: width)
        let rows = ResamplingAxis(input: self.height, output: height, start: 0, count: height)
        let needed = rows.inputRange
        let rowBytes = width * 3
        let narrow = [UInt8](unsafeUninitializedCapacity: needed.count * rowBytes) { out, initialized in
            pixels.withUnsafeBufferPointer { pixels in
                for (index, y) in needed.enumerated() {
                    let row = pixels[y * self.width * 3..<(y + 1) * self.width * 3]
                    columns.resampleRow(
                        UnsafeBufferPointer(rebasing: row),
                        into: UnsafeMutableBufferPointer(
                            rebasing: out[index * rowBytes..<(index + 1) * rowBytes]))
                }
            }
            initialized = needed.count * rowBytes
        }
        return rows.resampleRows(narrow, rowBytes: rowBytes)
    }
}

extension PictureGeometry {
    /// A square window of a picture that is resized without being framed; it may reach beyond the picture.
    fileprivate init(
        of picture: Picture, resizedWidth: Int, resizedHeight: Int, cropX: Int, cropY: Int, size: Int
    ) {
        (sourceWidth, sourceHeight) = (picture.width, picture.height)
        (paddingX, paddingY) = (0, 0)
        (framedWidth, framedHeight) = (picture.width, picture.height)
        self.resizedWidth = resizedWidth
        self.resizedHeight = resizedHeight
        self.cropX = cropX
        self.cropY = cropY
        self.size = size
    }
}
