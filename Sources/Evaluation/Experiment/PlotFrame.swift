/// A rectangle in pixels, in which values of two axes have places.
struct PlotFrame {
    let left, right, top, bottom: Double
    private let x, y: ClosedRange<Double>
    /// The least and the largest value that the vertical axis may name.
    private let scores: ClosedRange<Double>

    /// A frame with room around points, their intervals and the numbers at them; and for the baseline, if it is near.
    init(
        left: Double, right: Double, top: Double, bottom: Double, around cells: [GridSummary.Cell], baseline: Double?
    ) {
        (self.left, self.right, self.top, self.bottom) = (left, right, top, bottom)
        x = Self.range(cells.map { 100 * $0.flopsShare }, least: 8)
        let ends: [Double] = cells.flatMap { cell in AccuracyPlot.interval(cell) + [cell.score ?? 0] }
        let span = (ends.max() ?? 0) - (ends.min() ?? 0)
        let near = baseline.map { $0 - (ends.max() ?? 0) <= max(span, 10) ? [$0] : [] } ?? []
        y = Self.range(ends + near, least: 10)
        // Room for numbers reaches beyond 0 and 100, where shares end.
        let shown = ends + near
        scores = (shown.allSatisfy { $0 >= 0 } ? 0 : -.infinity)...(shown.allSatisfy { $0 <= 100 } ? 100 : .infinity)
    }

    private static func range(_ values: [Double], least: Double) -> ClosedRange<Double> {
        let low = values.min() ?? 0, high = values.max() ?? 0
        let room = max(0.2 * (high - low), (least - (high - low)) / 2)
        return low - room...high + room
    }

    func across(_ value: Double) -> Double { Self.place(value, in: x, from: left, to: right) }
    func down(_ value: Double) -> Double { Self.place(value, in: y, from: bottom, to: top) }
    func shows(score: Double) -> Bool { y.contains(score) }

    private static func place(_ value: Double, in range: ClosedRange<Double>, from: Double, to: Double) -> Double {
        let share = (value - range.lowerBound) / (range.upperBound - range.lowerBound)
        return ((from + share * (to - from)) * 10).rounded() / 10
    }

    var columns: [Double] { Self.marks(x) }
    var rows: [Double] { Self.marks(y).filter(scores.contains) }

    /// Round values of an axis, at most six.
    private static func marks(_ range: ClosedRange<Double>) -> [Double] {
        let span = range.upperBound - range.lowerBound
        let step = [1.0, 2, 5, 10, 20, 50, 100, 200, 500].first { span / $0 <= 5 } ?? 1000
        return Array(stride(from: (range.lowerBound / step).rounded(.up) * step, through: range.upperBound, by: step))
    }
}
