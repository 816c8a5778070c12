public import ImageDecoding
public import TokenReduction

/// How a picture lies on the tiles that the tower sees, and what of them the language model reads when nothing was reduced
/// before it.
///
/// The picture's tokens are numbered through its tiles, in raster order within each: first the tile that shows all of the
/// picture, then the tiles of its canvas, row by row. LLaVA-1.5 is the case of a picture without a canvas.
public struct PictureTiling: Sendable, Hashable {
    /// Patches along one side of a tile.
    public let side: Int
    /// Tiles of the canvas from top to bottom; 0 if the picture has none.
    public let tileRows: Int
    /// Tiles of the canvas from left to right; 0 if the picture has none.
    public let tileColumns: Int
    /// The rows of the canvas's patches that show the picture; the others show padding.
    public let rows: Range<Int>
    /// The columns of the canvas's patches that show the picture.
    public let columns: Range<Int>

    /// A picture in a single tile of `side` by `side` patches.
    public init(side: Int) { self.init(rows: 0, columns: 0, side: side) }

    /// A canvas of `rows` by `columns` tiles that the picture fills.
    init(rows: Int, columns: Int, side: Int) {
        self.side = side
        (tileRows, tileColumns) = (rows, columns)
        (self.rows, self.columns) = (0..<rows * side, 0..<columns * side)
    }

    /// How the lines of a canvas that show the picture are counted.
    public enum Unpadding: Sendable, Hashable {
        /// By division of whole numbers, which equals transformers' rounding to seven places (from 4.50 on).
        case exact
        /// By a product of floating-point numbers without its fraction, as the authors of LLaVA-NeXT do: a line less for a few
        /// sizes of pictures.
        case truncated

        /// `length · canvas / picture`, without its fraction.
        func lines(_ length: Int, _ canvas: Int, _ picture: Int) -> Int {
            switch self {
            case .exact: length * canvas / picture
            case .truncated: Int(Double(length) * (Double(canvas) / Double(picture)))
            }
        }
    }

    /// A picture of `width` by `height` pixels on a canvas, whose tiles have `side` by `side` patches.
    ///
    /// Patches that show padding alone are left out; where an odd number of them is, one row or column stays (transformers'
    /// `unpad_image`).
    public init(_ canvas: TileCanvas, width: Int, height: Int, side: Int, unpadding: Unpadding = .exact) {
        self.side = side
        (tileRows, tileColumns) = (canvas.tileRows, canvas.tileColumns)
        let (down, across) = (tileRows * side, tileColumns * side)
        if width * down > across * height {
            let padding = (down - unpadding.lines(height, across, width)) / 2
            (rows, columns) = (padding..<down - padding, 0..<across)
        } else {
            let padding = (across - unpadding.lines(width, down, height)) / 2
            (rows, columns) = (0..<down, padding..<across - padding)
        }
    }

    /// Tiles of the picture, the one that shows all of it included.
    public var tiles: Int { 1 + tileRows * tileColumns }

    /// One row of the language model.
    public enum Row: Sendable, Hashable {
        /// A visual token, by its number in the picture.
        case token(Int)
        /// The learned vector that ends a line of the canvas.
        case newline
    }

    /// The rows of a picture that nothing has reduced, in the order of the language model: the tokens of the first tile, then
    /// those lines of the canvas that show the picture, each across all tiles and with a newline behind it.
    public var sequence: [Row] {
        var sequence = (0..<side * side).map { Row.token($0) }
        for row in rows {
            for column in columns {
                let tile = 1 + row / side * tileColumns + column / side
                sequence.append(.token(tile * side * side + row % side * side + column % side))
            }
            sequence.append(.newline)
        }
        return sequence
    }

    /// The visual tokens of ``sequence``, by their numbers.
    public var tokens: [Int] {
        sequence.compactMap { row in
            switch row {
            case .token(let token): token
            case .newline: nil
            }
        }
    }

    /// How many rows ``sequence`` has.
    public var sequenceLength: Int { side * side + rows.count * (columns.count + 1) }

    /// Whether a picture under `plan` enters the language model as ``sequence`` says. A method that reduces in the tower or
    /// the projector hands its tokens on tile after tile instead, without newlines, as all published code does, so that their
    /// number is the one asked for.
    public func isArranged(under plan: ReductionPlan) -> Bool {
        tiles > 1 && !plan.reducesBeforeLanguageModel
    }
}
