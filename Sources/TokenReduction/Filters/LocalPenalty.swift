/// Spreads the tokens that go over the picture: the most redundant token of each small window becomes more so.
///
/// The original grid is cut into windows of `window` by `window` patches, the same in every layer; cells whose token
/// has gone are empty. In each window the largest score is multiplied by `factor` if positive and divided by it if not
/// (Han et al., section 3.2, "local penalty"). Patches beyond the last whole window are left alone.
///
/// The authors' code keeps one buffer for all layers and all images and marks the windows' winners as gone instead of
/// the tokens that went, so it does this only in the first reducing layer of the first image. We follow the paper.
public struct LocalPenalty: Sendable, Hashable {
    /// The side of a window, in patches.
    public let window: Int
    /// How much more redundant the winner becomes; 1 switches the penalty off.
    public let factor: Double

    /// A penalty with the given side of a window and factor.
    public init(window: Int, factor: Double) {
        self.window = window
        self.factor = factor
    }

    /// No penalty.
    public static let none = LocalPenalty(window: 1, factor: 1)

    /// Reads `window` and `penalty`; default: the paper's windows of 2 by 2 patches and factor 2.
    init(reading options: inout MethodOptions) throws(ReductionError) {
        try self.init(
            window: options.integer("window", default: 2, in: 1...256),
            factor: options.number("penalty", default: 2, in: 1...1000))
    }

    /// One phrase for the table of methods.
    public var summary: String {
        factor == 1 ? "no local penalty" : "local penalty \(window)x\(window), factor \(factor)"
    }

    /// Applies the penalty to one score for each visual token of `layer`, window by window of each tile; of equal winners the
    /// first is penalised.
    public func apply(to scores: inout [Double], in layer: LayerView) {
        guard factor != 1 else { return }
        var winners = layer.grids.grids.map { grid in
            [Int?](repeating: nil, count: (grid.rows / window) * (grid.columns / window))
        }
        for (token, position) in layer.positions.enumerated() {
            let place = layer.grids.place(of: position), grid = layer.grids.grids[place.tile]
            let (row, column) = (place.row / window, place.column / window)
            guard row < grid.rows / window, column < grid.columns / window else { continue }
            let cell = row * (grid.columns / window) + column
            if let winner = winners[place.tile][cell], scores[winner] >= scores[token] { continue }
            winners[place.tile][cell] = token
        }
        for case .some(let winner) in winners.joined() {
            scores[winner] = scores[winner] > 0 ? scores[winner] * factor : scores[winner] / factor
        }
    }
}
