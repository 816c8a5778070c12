public import ImageDecoding

/// How LLaVA-NeXT takes pictures of any size: each on the canvas of tiles that fits it best, beside a tile that shows all of it.
public struct AnyResolution: Sendable, Hashable {
    /// The canvases to choose from, of which there is at least one; sides are multiples of the tower's picture
    /// (`image_grid_pinpoints`).
    public var canvases: [TileCanvas.Size]

    /// A model that was trained on these canvases.
    public init(canvases: [TileCanvas.Size]) {
        precondition(!canvases.isEmpty, "a picture needs a canvas")
        self.canvases = canvases
    }

    /// The canvases of every released checkpoint, and what transformers takes where a file names none.
    public static let released = AnyResolution(canvases: [
        TileCanvas.Size(height: 336, width: 672), TileCanvas.Size(height: 672, width: 336),
        TileCanvas.Size(height: 672, width: 672), TileCanvas.Size(height: 1008, width: 336),
        TileCanvas.Size(height: 336, width: 1008),
    ])
}

extension LLaVAConfiguration {
    /// Rows of the language model that a picture takes at most when nothing is reduced.
    public var mostRowsPerPicture: Int {
        guard let anyResolution else { return visualTokens }
        let tile = vision.imageSize
        return anyResolution.canvases.map { size in
            PictureTiling(rows: size.height / tile, columns: size.width / tile, side: vision.side)
                .sequenceLength
        }.max() ?? visualTokens
    }
}
