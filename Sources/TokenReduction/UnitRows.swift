import Tensors

/// Rows scaled to length one, so that products of them are cosines.
///
/// They stay in the precision they came in; a row of zeros stays one, and is at right angles to everything.
public struct UnitRows: Sendable {
    /// How many rows.
    public var count: Int { rows.rows }
    private let rows: Tensor

    /// The rows of `tensor`, (rows, width) in float32 or float64; throws `notFinite` where they hold NaN or infinity.
    init(_ tensor: Tensor) throws(ReductionError) {
        var finite = true
        rows =
            tensor.type == .float64
            ? Tensor(Self.scaled(tensor.doubles, tensor.width, &finite), shape: tensor.shape)
            : Tensor(Self.scaled(tensor.floats, tensor.width, &finite), shape: tensor.shape)
        guard finite else {
            throw ReductionError(
                .notFinite, "rows to compare are not finite numbers: the layer's evidence holds NaN or infinity")
        }
    }

    /// The cosines of each of `sources` with each of `targets`, (sources, targets).
    func cosines(_ sources: [Int], _ targets: [Int]) -> Cosines {
        Cosines(rows.gathering(sources).products(withRowsOf: rows.gathering(targets)))
    }

    /// The cosines of each row with each row, (count, count).
    func allCosines() -> Cosines { Cosines(rows.products(withRowsOf: rows)) }

    private static func scaled<Number: BinaryFloatingPoint>(
        _ numbers: [Number], _ width: Int, _ finite: inout Bool
    ) -> [Number] {
        var numbers = numbers
        numbers.withUnsafeMutableBufferPointer { cells in
            for start in stride(from: 0, to: cells.count, by: max(width, 1)) {
                var square = 0.0
                for cell in start..<start + width { square += Double(cells[cell]) * Double(cells[cell]) }
                finite = finite && square.isFinite
                let scale = square > 0 ? 1 / square.squareRoot() : 0
                for cell in start..<start + width { cells[cell] = Number(Double(cells[cell]) * scale) }
            }
        }
        return numbers
    }
}

/// Cosines of rows with columns, in one piece of memory.
struct Cosines {
    let columns: Int
    let values: [Double]

    /// The table (rows, columns), float32 or float64.
    init(_ table: Tensor) {
        columns = table.width
        values = table.doubles
    }

    subscript(row: Int, column: Int) -> Double { values[row * columns + column] }

    /// The cosines of one row with all columns, counted from 0.
    func row(_ row: Int) -> [Double] { Array(values[row * columns..<(row + 1) * columns]) }

    /// The largest cosine of `row` with any of `others`; minus infinity where there are none.
    func largest(of row: Int, among others: [Int]) -> Double {
        values.withUnsafeBufferPointer { values in
            var largest = -Double.infinity
            for column in others { largest = max(largest, values[row * columns + column]) }
            return largest
        }
    }

    /// The column of the largest cosine of `row`, the first of equal ones; nil where there are no columns.
    func nearest(to row: Int) -> Int? {
        let start = row * columns
        var best: Int?
        for column in 0..<columns where best.map({ values[start + $0] < values[start + column] }) ?? true {
            best = column
        }
        return best
    }
}
