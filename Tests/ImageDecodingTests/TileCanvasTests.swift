import ImageDecoding
import Testing

/// Canvases as transformers 4.57 chooses them for the list of every released LLaVA-NeXT.
@Suite struct TileCanvasTests {
    private static let released = [(336, 672), (672, 336), (672, 672), (1008, 336), (336, 1008)].map {
        TileCanvas.Size(height: $0.0, width: $0.1)
    }

    /// A picture's height and width, the tiles of its canvas, and its height and width there.
    private static let cases: [(picture: (Int, Int), tiles: (Int, Int), resized: (Int, Int))] = [
        ((336, 336), (1, 2), (336, 336)), ((20, 20), (1, 2), (336, 336)), ((19, 19), (1, 2), (336, 337)),
        ((480, 640), (2, 2), (504, 672)), ((768, 1024), (2, 2), (504, 672)), ((640, 480), (2, 2), (672, 504)),
        ((672, 672), (2, 2), (672, 672)), ((899, 1024), (2, 2), (590, 672)), ((1080, 1920), (2, 2), (378, 672)),
        ((336, 1008), (1, 3), (336, 1008)), ((300, 1500), (1, 3), (202, 1008)), ((1500, 300), (3, 1), (1008, 202)),
        ((333, 500), (1, 2), (336, 505)), ((37, 100), (1, 2), (249, 672)), ((100, 37), (1, 2), (336, 125)),
        ((376, 799), (1, 3), (336, 714)),
    ]

    @Test("the canvas, and the picture's size on it", arguments: cases.indices)
    func published(_ index: Int) {
        let (picture, tiles, resized) = Self.cases[index]
        let canvas = TileCanvas(
            forWidth: picture.1, height: picture.0, choosingFrom: Self.released, tile: 336)
        #expect((canvas.tileRows, canvas.tileColumns) == tiles)
        #expect((canvas.resizedHeight, canvas.resizedWidth) == resized)
        #expect(canvas.paddingX == (canvas.size.width - resized.1) / 2)
        #expect(canvas.paddingY == (canvas.size.height - resized.0) / 2)
    }

    @Test("a picture never leaves its canvas, and fills one of its sides")
    func fits() {
        for height in stride(from: 1, to: 3000, by: 37) {
            for width in stride(from: 1, to: 3000, by: 41) {
                let canvas = TileCanvas(
                    forWidth: width, height: height, choosingFrom: Self.released, tile: 336)
                let (down, across) = (canvas.resizedHeight, canvas.resizedWidth)
                #expect((1...canvas.size.height).contains(down) && (1...canvas.size.width).contains(across))
                #expect(down == canvas.size.height || across == canvas.size.width, "\(height) x \(width)")
            }
        }
    }

    @Test("tiles cut the canvas row by row and are black where the picture is not")
    func cutting() {
        // Rows of one colour each: what a tile shows tells where it was cut.
        let picture = Picture(
            width: 4, height: 12,
            pixels: (0..<12).flatMap { row in [UInt8](repeating: UInt8(20 * row + 10), count: 12) })
        let tiled = TiledPicture(picture, canvases: [TileCanvas.Size(height: 12, width: 12)], tile: 4)
        #expect(tiled.tiles.count == 10 && tiled.tiles.allSatisfy { $0.pixels.count == 48 })
        for (number, tile) in tiled.tiles.dropFirst().enumerated() {
            let (row, column) = (number / 3, number % 3)
            let expected = (0..<4).flatMap { y in
                [UInt8](repeating: column == 1 ? UInt8(20 * (4 * row + y) + 10) : 0, count: 12)
            }
            #expect(tile.pixels == expected, "tile \(number)")
            #expect(tile.geometry.cropX == 4 * column - 4 && tile.geometry.cropY == 4 * row)
        }
        let whole = tiled.tiles[0].geometry
        #expect(whole.resizedWidth == 4 && whole.resizedHeight == 4 && whole.cropX == 0 && whole.cropY == 0)
        #expect(whole.framedHeight == 12 && whole.framedWidth == 4)
    }

    @Test("a tile that lies wholly beside the picture is black", arguments: [(4, 40), (40, 4)])
    func beside(height: Int, width: Int) {
        let picture = Picture(width: 4, height: 4, pixels: [UInt8](repeating: 200, count: 4 * 4 * 3))
        let tiled = TiledPicture(picture, canvases: [TileCanvas.Size(height: height, width: width)], tile: 4)
        #expect(tiled.tiles.count == 11)
        #expect(tiled.tiles.dropFirst().count { tile in tile.pixels.allSatisfy { $0 == 0 } } == 8)
    }
}
