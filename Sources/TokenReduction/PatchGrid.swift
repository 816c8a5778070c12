/// The picture's patches as the encoder first saw them, in raster order.
///
/// An original position is `row * columns + column`; it names a visual token for as long as the token lives, however
/// many of its neighbours have gone.
public struct PatchGrid: Sendable, Hashable {
    /// Patches from top to bottom.
    public let rows: Int
    /// Patches from left to right.
    public let columns: Int

    /// A grid of `rows` by `columns` patches; 24 by 24 for CLIP ViT-L/14 at 336 pixels.
    public init(rows: Int, columns: Int) throws(ReductionError) {
        let (count, overflow) = rows.multipliedReportingOverflow(by: columns)
        guard rows > 0, columns > 0, !overflow, count <= Self.mostTokens else {
            throw ReductionError(
                .mismatch,
                "a patch grid of \(rows) x \(columns) is not possible: give 1 to \(Self.mostTokens) patches")
        }
        self.rows = rows
        self.columns = columns
    }

    /// Patches in the grid.
    public var count: Int { rows * columns }

    /// Patches of all pictures of a job: traces and result files name a token in 16 bits and keep 65535 for "nowhere".
    public static let mostTokens = 65_535
}

/// The grids of all tiles of a job's pictures, whose patches are numbered one tile after another, in raster order within each.
public struct TileGrids: Sendable, Hashable, CustomStringConvertible {
    /// The tiles, in the order of pictures and of tiles within a picture.
    public let grids: [PatchGrid]
    /// The number of each tile's first patch, and of all patches.
    private let starts: [Int]

    /// The grids of these tiles; no tiles for a text-only job.
    public init(_ grids: [PatchGrid]) throws(ReductionError) {
        self.grids = grids
        var starts = [0]
        for grid in grids { starts.append(starts[starts.count - 1] + grid.count) }
        self.starts = starts
        guard starts[grids.count] <= PatchGrid.mostTokens else {
            throw ReductionError(
                .mismatch,
                "the pictures of a job have \(starts[grids.count]) visual tokens, and \(PatchGrid.mostTokens) can be told "
                    + "apart: give it fewer pictures")
        }
    }

    /// Patches in all tiles.
    public var count: Int { starts[grids.count] }
    /// Rows of all tiles.
    public var rows: Int { grids.reduce(0) { $0 + $1.rows } }
    /// Columns of the widest tile.
    public var columns: Int { grids.map(\.columns).max() ?? 0 }

    /// The patches of one tile.
    public func positions(of tile: Int) -> Range<Int> { starts[tile]..<starts[tile + 1] }

    /// Where a patch lies: its tile, and the row and column there.
    public func place(of position: Int) -> (tile: Int, row: Int, column: Int) {
        var tile = 0
        while position >= starts[tile + 1] { tile += 1 }
        let (row, column) = (position - starts[tile]).quotientAndRemainder(dividingBy: grids[tile].columns)
        return (tile, row, column)
    }

    /// For messages: the grid, or how many there are.
    public var description: String {
        grids.count == 1 ? "the \(grids[0].rows) x \(grids[0].columns) grid" : "the grids of \(grids.count) tiles"
    }
}
