/// The canvas of square tiles that LLaVA-NeXT lays a picture on: the picture is scaled to fit, centred and filled up.
///
/// The rules and their rounding are those of transformers' `select_best_resolution` and `get_patch_output_size`.
public struct TileCanvas: Equatable, Hashable, Sendable {
    /// A canvas that a model was trained with, in pixels.
    public struct Size: Equatable, Hashable, Sendable {
        /// Rows of pixels.
        public let height: Int
        /// Columns of pixels.
        public let width: Int

        /// A canvas of these sides.
        public init(height: Int, width: Int) {
            self.height = height
            self.width = width
        }
    }

    /// The canvas in pixels.
    public let size: Size
    /// The side of a tile, in pixels.
    public let tile: Int
    /// Rows of the picture on the canvas, in pixels.
    public let resizedHeight: Int
    /// Columns of the picture on the canvas, in pixels.
    public let resizedWidth: Int

    /// Tiles from top to bottom.
    public var tileRows: Int { size.height / tile }
    /// Tiles from left to right.
    public var tileColumns: Int { size.width / tile }
    /// Rows of pixels above the picture; below it stand as many, or one more.
    public var paddingY: Int { (size.height - resizedHeight) / 2 }
    /// Columns of pixels to the left of the picture; to the right stand as many, or one more.
    public var paddingX: Int { (size.width - resizedWidth) / 2 }

    /// The canvas for a picture of `width` by `height` pixels: of `sizes`, of which there is at least one, the first that
    /// shows most of the picture's pixels, and of those the one with the least unused area. Sides are multiples of `tile`.
    public init(forWidth width: Int, height: Int, choosingFrom sizes: [Size], tile: Int) {
        precondition(!sizes.isEmpty, "a picture needs a canvas")
        var best = sizes[0]
        var most = 0
        var least = Int.max
        for size in sizes {
            let scale = min(Double(size.width) / Double(width), Double(size.height) / Double(height))
            let shown = min(Int(Double(width) * scale) * Int(Double(height) * scale), width * height)
            let unused = size.height * size.width - shown
            if shown > most || (shown == most && unused < least) {
                (best, most, least) = (size, shown, unused)
            }
        }
        size = best
        self.tile = tile
        let (across, down) = (Double(best.width) / Double(width), Double(best.height) / Double(height))
        // The ceiling of the product of doubles: it is not always that of the exact quotient.
        if across < down {
            resizedWidth = best.width
            resizedHeight = min(Int((Double(height) * across).rounded(.up)), best.height)
        } else {
            resizedHeight = best.height
            resizedWidth = min(Int((Double(width) * down).rounded(.up)), best.width)
        }
    }
}
