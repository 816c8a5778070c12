public import ImageDecoding
public import TokenReduction

/// How LLaVA-NeXT takes pictures of any size: each on the canvas of tiles that fits it best, beside a tile that shows all of it.
public struct AnyResolution: Sendable, Hashable {
    /// The canvases to choose from, of which there is at least one; sides are multiples of the tower's picture
    /// (`image_grid_pinpoints`).
    public var canvases: [TileCanvas.Size]
    /// How it is counted which patches show padding alone.
    public var unpadding: PictureTiling.Unpadding

    /// A model that was trained on these canvases.
    public init(canvases: [TileCanvas.Size], unpadding: PictureTiling.Unpadding = .exact) {
        precondition(!canvases.isEmpty, "a picture needs a canvas")
        self.canvases = canvases
        self.unpadding = unpadding
    }

    /// The canvases of every released checkpoint, and what transformers takes where a file names none.
    public static let released = AnyResolution(canvases: [
        TileCanvas.Size(height: 336, width: 672), TileCanvas.Size(height: 672, width: 336),
        TileCanvas.Size(height: 672, width: 672), TileCanvas.Size(height: 1008, width: 336),
        TileCanvas.Size(height: 336, width: 1008),
    ])
}

extension LLaVAConfiguration {
    /// How a picture of these sides in pixels lies on its tiles.
    public func tiling(width: Int, height: Int) -> PictureTiling {
        guard let anyResolution else { return PictureTiling(side: vision.side) }
        let canvas = TileCanvas(
            forWidth: width, height: height, choosingFrom: anyResolution.canvases, tile: vision.imageSize)
        return PictureTiling(
            canvas, width: width, height: height, side: vision.side, unpadding: anyResolution.unpadding)
    }

    /// The tiling of a picture that fills its canvas, for every canvas; for a model without canvases one tile.
    private var fullTilings: [PictureTiling] {
        let tile = vision.imageSize
        return anyResolution?.canvases.map { size in
            PictureTiling(rows: size.height / tile, columns: size.width / tile, side: vision.side)
        } ?? [PictureTiling(side: vision.side)]
    }

    /// Rows of the language model that a picture takes at most when nothing is reduced.
    public var mostRowsPerPicture: Int { fullTilings.map { rows(of: $0) }.max() ?? visualTokens }

    /// Tiles that a picture has at most.
    public var mostTilesPerPicture: Int { fullTilings.map(\.tiles).max() ?? 1 }

    /// Tiles that a picture has at least.
    public var fewestTilesPerPicture: Int { fullTilings.map(\.tiles).min() ?? 1 }

    /// Rows of the language model that no picture goes below under `plan`: of a method that asks the picture one a tile, of
    /// a canvas whose patches may be padding the tile that shows all of it.
    public func fewestRowsPerPicture(under plan: ReductionPlan) -> Int {
        fullTilings.map { $0.isArranged(under: plan) ? visualTokens : leastRows(of: $0, under: plan) }.min() ?? 1
    }
}
