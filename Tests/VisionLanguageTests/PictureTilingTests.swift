import ImageDecoding
import Testing
import VisionLanguage

/// What of a picture's tiles the language model reads, as transformers 4.57 packs them.
struct PictureTilingTests {
    private func tiling(_ height: Int, _ width: Int) -> PictureTiling {
        let canvas = TileCanvas(
            forWidth: width, height: height, choosingFrom: AnyResolution.released.canvases, tile: 336)
        return PictureTiling(canvas, width: width, height: height, side: 24)
    }

    /// Height and width of a picture, lines and columns of patches that show it, rows of the language model.
    private static let cases: [(picture: (Int, Int), grid: (Int, Int), rows: Int)] = [
        ((336, 336), (24, 24), 1176), ((480, 640), (36, 48), 2340), ((768, 1024), (36, 48), 2340),
        ((640, 480), (48, 36), 2352), ((672, 672), (48, 48), 2928), ((337, 337), (48, 48), 2928),
        ((899, 1024), (42, 48), 2634), ((1080, 1920), (28, 48), 1948), ((336, 1008), (24, 72), 2328),
        ((300, 1500), (14, 72), 1598), ((1500, 300), (72, 14), 1656), ((333, 500), (24, 36), 1464),
        ((37, 100), (18, 48), 1458), ((100, 37), (24, 8), 792), ((376, 799), (24, 52), 1848), ((1, 50), (0, 48), 576),
    ]

    @Test("rows of published sizes", arguments: cases.indices)
    func rows(_ index: Int) {
        let (picture, grid, rows) = Self.cases[index], tiling = tiling(picture.0, picture.1)
        #expect((tiling.rows.count, tiling.columns.count) == grid)
        #expect(tiling.sequenceLength == rows && tiling.sequence.count == rows)
    }

    @Test("every token that shows the picture once, lines in order across tiles, a newline behind each")
    func sequence() {
        for (picture, _, _) in Self.cases {
            let tiling = tiling(picture.0, picture.1), sequence = tiling.sequence, tokens = tiling.tokens
            #expect(Set(tokens).count == tokens.count)
            #expect(Array(tokens.prefix(576)) == Array(0..<576))
            #expect(tokens.allSatisfy { (0..<576 * tiling.tiles).contains($0) })
            // The place of each token on the canvas goes up in raster order.
            let places = tokens.dropFirst(576).map { token in
                let (tile, patch) = (token / 576 - 1, token % 576)
                let row = tile / tiling.tileColumns * 24 + patch / 24
                let column = tile % tiling.tileColumns * 24 + patch % 24
                #expect(tiling.rows.contains(row) && tiling.columns.contains(column))
                return row * 24 * tiling.tileColumns + column
            }
            #expect(places == places.sorted() && places.count == tiling.rows.count * tiling.columns.count)
            let newlines = sequence.indices.filter { sequence[$0] == .newline }
            #expect(
                newlines
                    == tiling.rows.indices.map {
                        576 + ($0 - tiling.rows.lowerBound + 1) * (tiling.columns.count + 1) - 1
                    })
        }
    }

    /// Their canvases are the same numbers, read as width and height, and a line of patches is counted otherwise.
    @Test(
        "rows of published sizes in the authors' own code",
        arguments: [
            ((336, 336), 1176), ((37, 100), 776), ((100, 37), 1488), ((376, 799), 1800), ((480, 640), 2340),
            ((1080, 1920), 1948), ((333, 500), 1464),
        ])
    func original(picture: (Int, Int), rows: Int) {
        let canvases = AnyResolution.released.canvases.map { TileCanvas.Size(height: $0.width, width: $0.height) }
        let canvas = TileCanvas(forWidth: picture.1, height: picture.0, choosingFrom: canvases, tile: 336)
        let tiling = PictureTiling(
            canvas, width: picture.1, height: picture.0, side: 24, unpadding: .truncated)
        #expect(tiling.sequenceLength == rows)
        if picture == (336, 336) { #expect(tiling.tileRows == 2 && tiling.tileColumns == 1) }
    }

    @Test("LLaVA-1.5 is one tile without lines")
    func single() {
        let tiling = PictureTiling(side: 3)
        #expect(tiling.tiles == 1 && tiling.tokens == Array(0..<9) && tiling.sequenceLength == 9)
        #expect(!tiling.sequence.contains(.newline))
    }
}
