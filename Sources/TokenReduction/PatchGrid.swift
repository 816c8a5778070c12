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

    private init() { (rows, columns) = (0, 0) }

    /// No patches: there is no picture.
    static let none = PatchGrid()

    /// Patches in the grid.
    public var count: Int { rows * columns }

    /// Traces and result files name a token in 16 bits and keep 65535 for "nowhere".
    static let mostTokens = 65_535
}
